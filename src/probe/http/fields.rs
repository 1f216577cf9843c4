//! The fields of an answer that a check reads (RFC 9110 section 6.3).

use crate::domain::{HeaderAssertion, clean};

/// The most characters of a value that are shown.
const MOST_SHOWN: usize = 200;

/// The most that a field is kept of, in bytes.
const MOST_FIELD: usize = 64 * 1024;

/// The most fields of one name that are kept.
const MOST_FIELDS: usize = 64;

/// The fields of an answer that a check reads.
#[derive(Debug, Default)]
pub(in super::super) struct Fields {
    known: Vec<(Field, Box<[u8]>)>,
    /// Those that assertions are about, by their place among them.
    asserted: Vec<(usize, Box<[u8]>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    ContentEncoding,
    ContentLength,
    ContentType,
    Location,
    SetCookie,
    TransferEncoding,
}

/// Their names in lower case.
const NAMES: [(&[u8], Field); 6] = [
    (b"content-encoding", Field::ContentEncoding),
    (b"content-length", Field::ContentLength),
    (b"content-type", Field::ContentType),
    (b"location", Field::Location),
    (b"set-cookie", Field::SetCookie),
    (b"transfer-encoding", Field::TransferEncoding),
];

impl Fields {
    /// Keeps a field if a check reads it.
    pub(super) fn keep(&mut self, name: &[u8], value: &[u8], assertions: &[HeaderAssertion]) {
        if value.len() > MOST_FIELD {
            return;
        }
        let known = NAMES
            .iter()
            .find(|known| name.eq_ignore_ascii_case(known.0));
        if let Some((_, field)) = known
            && self.all(*field).count() < MOST_FIELDS
        {
            self.known.push((*field, value.into()));
        }
        for (place, assertion) in assertions.iter().enumerate() {
            if name.eq_ignore_ascii_case(assertion.name.as_bytes())
                && self.asserted(place).count() < MOST_FIELDS
            {
                self.asserted.push((place, value.into()));
            }
        }
    }

    pub(super) fn all(&self, field: Field) -> impl Iterator<Item = &[u8]> {
        let of_it = self.known.iter().filter(move |kept| kept.0 == field);
        of_it.map(|(_, value)| &value[..])
    }

    fn asserted(&self, place: usize) -> impl Iterator<Item = &[u8]> {
        let of_it = self.asserted.iter().filter(move |kept| kept.0 == place);
        of_it.map(|(_, value)| &value[..])
    }

    /// The sentence about the first of the assertions that fails.
    pub(super) fn failure(&self, assertions: &[HeaderAssertion]) -> Option<String> {
        let mut all = assertions.iter().enumerate();
        all.find_map(|(place, HeaderAssertion { name, begins })| {
            let mut values = self.asserted(place);
            if values.any(|value| value.starts_with(begins.as_bytes())) {
                return None;
            }
            let (name, begins) = (clean(name, 60), clean(begins, 60));
            Some(match self.asserted(place).next() {
                Some(value) => {
                    let value = clean(&String::from_utf8_lossy(value), MOST_SHOWN);
                    format!("header {name}: expected \"{begins}…\", found \"{value}\"")
                }
                None => format!("header {name}: expected \"{begins}…\", and the answer has none"),
            })
        })
    }

    /// The first value of that name.
    pub(super) fn first(&self, field: Field) -> Option<&[u8]> {
        self.all(field).next()
    }

    #[cfg(test)]
    pub(super) fn location(&self) -> Option<&[u8]> {
        self.first(Field::Location)
    }
}
