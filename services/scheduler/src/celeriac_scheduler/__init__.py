"""Beat behind a fenced leader; delayed runs; expired leases; queue metrics."""
