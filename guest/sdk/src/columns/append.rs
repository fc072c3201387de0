//! Appending columns and answers to each other, adding nulls and failures, and taking rows apart.

use crate::{
    Batch, Blobs, BooleanLists, Column, Enriched, Error, ErrorKind, Float32Lists, Float64Lists,
    Int64Lists, RowFailure, StringLists, Texts, Values,
};

/// Runs `$body` with `$list` bound to the list inside, whatever its type; `$flat` for texts, bytes and
/// lists.
macro_rules! each_list {
    ($values:expr, $list:ident => $body:expr, flat => $flat:expr) => {
        match $values {
            Values::Booleans($list) => $body,
            Values::Int8s($list) => $body,
            Values::Int16s($list) => $body,
            Values::Int32s($list) => $body,
            Values::Int64s($list) | Values::Timestamps($list) => $body,
            Values::Float32s($list) => $body,
            Values::Float64s($list) => $body,
            Values::Strings($list) | Values::Decimals($list) | Values::Json($list) => $flat,
            Values::Dates($list) => $body,
            Values::Bytes($list) => $flat,
            Values::BooleanLists($list) => $flat,
            Values::Int64Lists($list) => $flat,
            Values::Float32Lists($list) => $flat,
            Values::Float64Lists($list) => $flat,
            Values::StringLists($list) => $flat,
        }
    };
}

impl Values {
    /// How many values there are, nulls included.
    pub fn len(&self) -> usize {
        each_list!(self, list => list.len(), flat => list.len())
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Extends (or shortens) the list to `rows` values with values that stand for null.
    pub(crate) fn resize(&mut self, rows: usize) {
        each_list!(self, list => list.resize(rows, Default::default()), flat => list.resize(rows));
    }

    /// Makes room for so many more values.
    pub(crate) fn reserve(&mut self, rows: usize) {
        each_list!(self, list => list.reserve(rows), flat => list.reserve(rows));
    }

    /// A list of the same case with `rows` values that stand for null.
    fn nulls(&self, rows: usize) -> Values {
        let mut like = self.emptied();
        like.resize(rows);
        like
    }

    /// Each value as a list of its own, of the same type.
    pub(crate) fn split(self) -> std::vec::IntoIter<Values> {
        macro_rules! ones {
            ($($case:ident),*; flat $($flat:ident),*) => {
                match self {
                    $(Values::$case(list) => {
                        list.into_iter().map(|value| Values::$case(vec![value])).collect::<Vec<_>>()
                    })*
                    $(Values::$flat(list) => {
                        list.iter().map(|one| Values::$flat([one].into_iter().collect())).collect()
                    })*
                }
            };
        }
        ones!(
            Booleans, Int8s, Int16s, Int32s, Int64s, Float32s, Float64s, Timestamps, Dates;
            flat Strings, Decimals, Json, Bytes, BooleanLists, Int64Lists, Float32Lists, Float64Lists,
            StringLists
        )
        .into_iter()
    }

    fn emptied(&self) -> Values {
        match self {
            Values::Booleans(_) => Values::Booleans(Vec::new()),
            Values::Int8s(_) => Values::Int8s(Vec::new()),
            Values::Int16s(_) => Values::Int16s(Vec::new()),
            Values::Int32s(_) => Values::Int32s(Vec::new()),
            Values::Int64s(_) => Values::Int64s(Vec::new()),
            Values::Float32s(_) => Values::Float32s(Vec::new()),
            Values::Float64s(_) => Values::Float64s(Vec::new()),
            Values::Strings(_) => Values::Strings(Texts::new()),
            Values::Bytes(_) => Values::Bytes(Blobs::default()),
            Values::Timestamps(_) => Values::Timestamps(Vec::new()),
            Values::Dates(_) => Values::Dates(Vec::new()),
            Values::Decimals(_) => Values::Decimals(Texts::new()),
            Values::BooleanLists(_) => Values::BooleanLists(BooleanLists::default()),
            Values::Int64Lists(_) => Values::Int64Lists(Int64Lists::default()),
            Values::Float32Lists(_) => Values::Float32Lists(Float32Lists::default()),
            Values::Float64Lists(_) => Values::Float64Lists(Float64Lists::default()),
            Values::StringLists(_) => Values::StringLists(StringLists::default()),
            Values::Json(_) => Values::Json(Texts::new()),
        }
    }

    /// Whether both hold the same type, so that one can be appended to the other.
    pub(crate) fn same_type(&self, other: &Values) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// Appends values of the same type; false, and nothing done, where the type differs.
    fn append(&mut self, other: Values) -> bool {
        match (self, other) {
            (Values::Booleans(to), Values::Booleans(mut from)) => to.append(&mut from),
            (Values::Int8s(to), Values::Int8s(mut from)) => to.append(&mut from),
            (Values::Int16s(to), Values::Int16s(mut from)) => to.append(&mut from),
            (Values::Int32s(to), Values::Int32s(mut from)) => to.append(&mut from),
            (Values::Int64s(to), Values::Int64s(mut from))
            | (Values::Timestamps(to), Values::Timestamps(mut from)) => to.append(&mut from),
            (Values::Float32s(to), Values::Float32s(mut from)) => to.append(&mut from),
            (Values::Float64s(to), Values::Float64s(mut from)) => to.append(&mut from),
            (Values::Strings(to), Values::Strings(from))
            | (Values::Decimals(to), Values::Decimals(from))
            | (Values::Json(to), Values::Json(from)) => to.append(&from),
            (Values::Bytes(to), Values::Bytes(from)) => to.append(from),
            (Values::Dates(to), Values::Dates(mut from)) => to.append(&mut from),
            (Values::BooleanLists(to), Values::BooleanLists(from)) => to.append(from),
            (Values::Int64Lists(to), Values::Int64Lists(from)) => to.append(from),
            (Values::Float32Lists(to), Values::Float32Lists(from)) => to.append(from),
            (Values::Float64Lists(to), Values::Float64Lists(from)) => to.append(from),
            (Values::StringLists(to), Values::StringLists(from)) => to.append(from),
            _ => return false,
        }
        true
    }
}

impl Column {
    /// A column of nulls that `like` can be appended to.
    pub(crate) fn nulls_like(like: &Column, rows: u32) -> Column {
        Column {
            name: like.name.clone(),
            values: like.values.nulls(rows as usize),
            nulls: (0..rows).collect(),
        }
    }

    /// Appends the rows of `other`, a column of the same type, behind the `rows` there are.
    pub(crate) fn append(&mut self, rows: u32, other: Column) -> bool {
        let appended = self.values.append(other.values);
        if appended {
            self.nulls.extend(other.nulls.into_iter().map(|at| at + rows));
        }
        appended
    }

    /// Appends `more` nulls behind the `rows` there are.
    pub(crate) fn append_nulls(&mut self, rows: u32, more: u32) {
        self.values.resize((rows + more) as usize);
        self.nulls.extend(rows..rows + more);
    }

    /// For each row, whether it is null.
    pub fn null_mask(&self) -> Vec<bool> {
        let mut mask = vec![false; self.values.len()];
        for &at in &self.nulls {
            if let Some(null) = mask.get_mut(at as usize) {
                *null = true;
            }
        }
        mask
    }
}

impl Batch {
    /// A batch without fields.
    pub fn empty(rows: u32) -> Batch {
        Batch { rows, columns: Vec::new() }
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl Enriched {
    /// An answer for rows that all fail for one reason.
    pub fn failed(rows: u32, error: &Error) -> Enriched {
        Enriched {
            fields: Batch::empty(rows),
            missing: Vec::new(),
            null_keys: Vec::new(),
            failures: (0..rows).map(|row| RowFailure { row, error: error.clone() }).collect(),
        }
    }

    /// An answer for no row.
    pub(crate) fn none() -> Enriched {
        Enriched::failed(0, &Error::new(ErrorKind::InvalidInput, ""))
    }

    /// How many rows have an entity's features.
    pub(crate) fn retrieved(&self) -> u64 {
        u64::from(self.fields.rows)
            - (self.missing.len() + self.null_keys.len() + self.failures.len()) as u64
    }

    /// Whether `next` can be appended: both have the same fields, or one has none.
    pub(crate) fn takes(&self, next: &Enriched) -> bool {
        let (own, new) = (&self.fields.columns, &next.fields.columns);
        own.is_empty()
            || new.is_empty()
            || (own.len() == new.len()
                && own
                    .iter()
                    .zip(new)
                    .all(|(a, b)| a.name == b.name && a.values.same_type(&b.values)))
    }

    /// Appends the next rows, for which [`takes`](Self::takes) is true.
    pub(crate) fn append(&mut self, next: Enriched) {
        let rows = self.fields.rows;
        let more = next.fields.rows;
        let own = &mut self.fields.columns;
        if own.is_empty() {
            *own =
                next.fields.columns.iter().map(|column| Column::nulls_like(column, rows)).collect();
        }
        if next.fields.columns.is_empty() {
            for column in own.iter_mut() {
                column.append_nulls(rows, more);
            }
        }
        for (column, new) in own.iter_mut().zip(next.fields.columns) {
            column.append(rows, new);
        }
        self.missing.extend(next.missing.into_iter().map(|at| at + rows));
        self.null_keys.extend(next.null_keys.into_iter().map(|at| at + rows));
        self.failures.extend(
            next.failures
                .into_iter()
                .map(|RowFailure { row, error }| RowFailure { row: row + rows, error }),
        );
        self.fields.rows += more;
    }

    /// Adds rows that failed to `self`, the answer for the other rows, so that there are `rows` rows.
    pub(crate) fn spread(self, rows: u32, failures: Vec<RowFailure>) -> Enriched {
        if failures.is_empty() {
            return self;
        }
        let mut whole = Enriched::none();
        let mut good = self.split().into_iter();
        let mut bad = failures.into_iter().peekable();
        for row in 0..rows {
            let one = match bad.next_if(|failure| failure.row == row) {
                Some(failure) => Some(Enriched::failed(1, &failure.error)),
                None => good.next(),
            };
            if let Some(one) = one {
                whole.append(one);
            }
        }
        whole
    }

    /// Each row as an answer of its own. Called only where rows failed.
    fn split(self) -> Vec<Enriched> {
        let mut rows: Vec<Enriched> = (0..self.fields.rows)
            .map(|_| Enriched { fields: Batch::empty(1), ..Enriched::none() })
            .collect();
        for column in self.fields.columns {
            let mask = column.null_mask();
            for (row, (values, null)) in rows.iter_mut().zip(column.values.split().zip(mask)) {
                row.fields.columns.push(Column {
                    name: column.name.clone(),
                    values,
                    nulls: if null { vec![0] } else { Vec::new() },
                });
            }
        }
        for at in self.missing {
            rows[at as usize].missing.push(0);
        }
        for at in self.null_keys {
            rows[at as usize].null_keys.push(0);
        }
        for failure in self.failures {
            rows[failure.row as usize].failures.push(RowFailure { row: 0, error: failure.error });
        }
        rows
    }
}
