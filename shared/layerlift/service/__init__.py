"""The service's wire: calls, answers, connections, polling, and the limit of requests."""
