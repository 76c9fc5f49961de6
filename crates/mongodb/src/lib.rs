//! Everything that speaks MongoDB: sessions, shell syntax, catalogue, inference, plans.
