//! The fields of an answer that a check reads (RFC 9110 section 6.3).

/// The most that a field is kept of, in bytes.
const MOST_FIELD: usize = 64 * 1024;

/// The most fields of one name that are kept.
const MOST_FIELDS: usize = 64;

/// The fields of an answer that a check reads.
#[derive(Debug, Default)]
pub(in super::super) struct Fields(Vec<(Field, Box<[u8]>)>);

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
    pub(super) fn keep(&mut self, name: &[u8], value: &[u8]) {
        let known = NAMES
            .iter()
            .find(|known| name.eq_ignore_ascii_case(known.0));
        if let Some((_, field)) = known
            && value.len() <= MOST_FIELD
            && self.all(*field).count() < MOST_FIELDS
        {
            self.0.push((*field, value.into()));
        }
    }

    pub(super) fn all(&self, field: Field) -> impl Iterator<Item = &[u8]> {
        let of_it = self.0.iter().filter(move |kept| kept.0 == field);
        of_it.map(|(_, value)| &value[..])
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
