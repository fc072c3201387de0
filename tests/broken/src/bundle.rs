//! The resource `bundle`.

use crate::answers::{Seen, deform, falsify, is_wrong};
use crate::state::{BUNDLES, DROPPED, PROCESSED};
use crate::store::Store;
use beamlet_guest::bindings::exports::beamlet::enrichment::enrichment_handler as typed;
use beamlet_guest::{Batch, Bundle, Counters, Enriched, Error, ErrorKind, Values, WasiHttp, run};
use std::cell::RefCell;
use std::sync::Arc;

pub(crate) struct Started {
    store: Arc<Store>,
    /// `None` when it has been finished.
    bundle: RefCell<Option<Bundle<Store, WasiHttp>>>,
    seen: RefCell<Seen>,
}

impl Started {
    pub(crate) fn new(store: Arc<Store>, counters: Arc<Counters>) -> Self {
        BUNDLES.next();
        let open = if store.broken == "lifecycle/instances" { store.open() } else { None };
        let seen = Seen { others: open.is_some_and(|open| open > 1), ..Seen::default() };
        let bundle = Bundle::new(store.clone(), Arc::default(), counters);
        Started { store, bundle: RefCell::new(Some(bundle)), seen: RefCell::new(seen) }
    }

    /// Breaks answers if the broken promise requires it.
    fn out(&self, mut answers: Vec<Enriched>) -> Vec<Enriched> {
        let broken = &self.store.broken;
        let wrong = is_wrong(broken, &self.seen.borrow());
        for answer in &mut answers {
            if wrong {
                falsify(answer);
            }
            deform(broken, answer);
        }
        answers
    }
}

/// Notes a bundle that is dropped before it is finished.
impl Drop for Started {
    fn drop(&mut self) {
        if self.bundle.borrow().is_some() {
            DROPPED.set();
        }
        if self.store.broken == "lifecycle/instances" {
            self.store.close();
        }
    }
}

/// Whether two consecutive rows have the same key.
fn twins(rows: &Batch) -> bool {
    let Some(column) = rows.columns.first() else { return false };
    let Values::Strings(texts) = &column.values else { return false };
    let nulls = column.null_mask();
    let pairs = (1..texts.len()).filter(|at| !nulls[*at] && !nulls[at - 1]);
    pairs.into_iter().any(|at| texts.get(at) == texts.get(at - 1))
}

impl typed::GuestBundle for Started {
    fn process(&self, rows: Batch) -> Result<Vec<Enriched>, Error> {
        PROCESSED.set();
        let broken = self.store.broken.as_str();
        assert!(broken != "lifecycle/one-bundle", "there is no such thing as a bundle");
        let empty_again = {
            let mut seen = self.seen.borrow_mut();
            seen.rows += rows.rows;
            seen.calls += 1;
            seen.twins |= twins(&rows);
            seen.rows == 0 && seen.calls == 2
        };
        if empty_again && broken == "lifecycle/empty-calls" {
            return Err(Error::new(ErrorKind::InvalidInput, "no rows, again"));
        }
        let given = self.seen.borrow().rows;
        let mut bundle = self.bundle.borrow_mut();
        let bundle = bundle.as_mut().expect("it is not finished");
        let mut answers = self.out(run(bundle.process(&rows))?);
        if broken == "answers/not-ahead" {
            let error = Error::new(ErrorKind::InvalidInput, "ahead of the rows");
            answers.push(Enriched::failed(given + 1, &error));
        }
        Ok(answers)
    }

    fn finish(this: typed::Bundle) -> Result<Vec<Enriched>, Error> {
        let this = this.into_inner::<Self>();
        let bundle = this.bundle.borrow_mut().take().expect("it is finished only once");
        let answers = this.out(run(bundle.finish())?);
        let seen = this.seen.borrow();
        let failed = |status: u16| {
            let failures = answers.iter().flat_map(|answer| &answer.failures);
            failures.into_iter().any(|failure| failure.error.http_status == Some(status))
        };
        let lost = match this.store.broken.as_str() {
            "answers/count" => seen.rows > 0,
            "answers/many" => seen.rows > 2000,
            "store/rows" => failed(500),
            _ => false,
        };
        if this.store.broken == "lifecycle/empty-bundle" && seen.calls == 0 {
            let error = Error::new(ErrorKind::InvalidInput, "a row that nobody gave");
            return Ok(vec![Enriched::failed(1, &error)]);
        }
        Ok(if lost { Vec::new() } else { answers })
    }
}
