use std::sync::Arc;

use marula_core::{Digest, SourceRead};

use crate::sum::Sum;
use crate::tally::Scope;
use crate::{Place, Request, Tally};

/// Makes a digest of what does not come out of a file: a server's own statistics or profile.
pub struct Collector {
    scope: Arc<Scope>,
    sum: Sum,
    sources: u32,
}

impl Collector {
    /// Filters as `request` says.
    pub fn new(request: &Request) -> Self {
        Collector { scope: Arc::new(Scope::new(&request.filter)), sum: Sum::default(), sources: 0 }
    }

    /// Counts what `tell` tells of one source.
    pub fn source(&mut self, source: SourceRead, tell: impl FnOnce(&mut Tally)) {
        let place = Place { source: self.sources, offset: 0 };
        self.sources += 1;
        self.sum.begin_source(source);
        let mut tally = Tally::new(Arc::clone(&self.scope), place);
        tell(&mut tally);
        self.sum.add(tally);
    }

    /// The digest, in the order and length `request` asks for.
    pub fn finish(self, request: &Request) -> Digest {
        self.sum.tell(request.sort, request.top)
    }
}
