//! Diagnose a query, advise indexes, rewrite queries, and prove each on the lab.
