//! Throw-away servers: starting, cloning, loading, measuring, comparing results.
