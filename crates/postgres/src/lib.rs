//! Everything that speaks PostgreSQL: sessions, SQL, catalogue, statistics, plans.
