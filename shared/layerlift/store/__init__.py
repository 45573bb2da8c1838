"""What is on the disk: settings and key, the journal of paid work, the kept results, locks."""
