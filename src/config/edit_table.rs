//! Changing the table of one site in a document, every comment and blank of it kept.

use toml_edit::{
    Array, ArrayOfTables, DocumentMut, InlineTable, Item, RawString, Table, TableLike, Value, value,
};

use crate::domain::{FieldMistake, Site, SiteField, SiteValues};

/// The value that a typed text stands for; `None` where the text is empty.
pub(super) fn typed_value(key: SiteField, text: &str) -> Result<Option<Value>, FieldMistake> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let is_list = matches!(
        key,
        SiteField::Contains | SiteField::Owners | SiteField::Tags
    );
    if is_list && text.starts_with('[') {
        let parsed = text.parse::<Value>().ok().filter(Value::is_array);
        return parsed.map(Some).ok_or_else(|| FieldMistake {
            key: Some(key),
            sentence: "expected texts with commas between them, or a list such as [\"a\", \"b\"]"
                .to_owned(),
        });
    }
    Ok(Some(match key {
        SiteField::Owners | SiteField::Tags => {
            let words = text.split(',').map(str::trim);
            words
                .filter(|word| !word.is_empty())
                .collect::<Array>()
                .into()
        }
        SiteField::Confirm => match text.parse::<i64>() {
            Ok(number) => number.into(),
            Err(_) => text.into(),
        },
        _ => text.into(),
    }))
}

/// Sets the keys to what was typed; an empty text removes its key.
pub(super) fn set_fields(
    table: &mut dyn TableLike,
    fields: &SiteValues,
) -> Result<(), FieldMistake> {
    for (key, text) in fields {
        match typed_value(*key, text)? {
            Some(value) => set_value(table, key.name(), value),
            None => {
                table.remove(key.name());
            }
        }
    }
    Ok(())
}

/// Sets a key; the blanks and the comment around its old value stay.
pub(super) fn set_value(table: &mut dyn TableLike, key: &str, mut new: Value) {
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            *new.decor_mut() = old.decor().clone();
            *old = new;
        }
        None => {
            table.insert(key, value(new));
        }
    }
}

/// Adds tags to those of the site, and removes others; without any left the key goes.
pub(super) fn set_tags(table: &mut dyn TableLike, add: &[Box<str>], remove: &[Box<str>]) {
    if let Some(own) = table.get_mut("tags").and_then(Item::as_array_mut) {
        own.retain(|tag| {
            let tag = tag.as_str();
            !tag.is_some_and(|tag| remove.iter().any(|gone| **gone == *tag))
        });
        for tag in add {
            if !own.iter().any(|known| known.as_str() == Some(tag)) {
                own.push(&**tag);
            }
        }
        if own.is_empty() {
            table.remove("tags");
        }
    } else if !add.is_empty() {
        let tags: Array = add.iter().map(|tag| &**tag).collect();
        table.insert("tags", value(tags));
    }
}

/// Says that the site is paused, or that it is not.
pub(super) fn set_flag(table: &mut dyn TableLike, paused: bool) {
    let has_comment = table.get_key_value("paused").is_some_and(|(key, item)| {
        let decor = item.as_value().map(Value::decor);
        let behind = decor.and_then(|decor| decor.suffix()?.as_str());
        let before = key.leaf_decor().prefix().and_then(|prefix| prefix.as_str());
        [before, behind]
            .into_iter()
            .flatten()
            .any(|text| text.contains('#'))
    });
    match table.get_mut("paused").and_then(Item::as_value_mut) {
        // A comment that belongs to the key would go with it.
        Some(old) if paused || has_comment => {
            let decor = old.decor().clone();
            *old = Value::from(paused);
            *old.decor_mut() = decor;
        }
        Some(_) => {
            table.remove("paused");
        }
        None if paused => {
            table.insert("paused", value(true));
        }
        None => {}
    }
}

/// Applies `change` to the table at `index` of `[[sites]]`; `None` if there is no such table.
pub(super) fn change_at<T>(
    document: &mut DocumentMut,
    index: usize,
    change: impl FnOnce(&mut dyn TableLike) -> T,
) -> Option<T> {
    match document.get_mut("sites")? {
        Item::ArrayOfTables(tables) => Some(change(tables.get_mut(index)?)),
        Item::Value(Value::Array(array)) => {
            let table = array.get_mut(index)?.as_inline_table_mut()?;
            close_up(table);
            let changed = change(table);
            close_up(table);
            Some(changed)
        }
        _ => None,
    }
}

/// The blank before the closing brace belongs to the brace, not to the value that happens to
/// stand last.
fn close_up(table: &mut InlineTable) {
    if let Some((_, last)) = table.iter_mut().last() {
        let blank = |raw: Option<&RawString>| {
            raw.and_then(RawString::as_str)
                .is_none_or(|text| text.trim().is_empty())
        };
        let decor = last.decor();
        if blank(decor.prefix()) && blank(decor.suffix()) {
            last.decor_mut().clear();
        }
    }
}

/// A table for a site that a list has, with what it has of the list.
pub(super) fn table_of(site: &Site, owners: &[Box<str>]) -> Table {
    let url = &site.spec.url;
    let mut table = Table::new();
    let made_names = [url.host_and_path(), url.shown()];
    if !made_names.contains(&&*site.name) && !site.name.starts_with(&format!("{} (", url.shown())) {
        table.insert("name", value(&*site.name));
    }
    table.insert("url", value(url.expose()));
    let texts = |texts: &[Box<str>]| texts.iter().map(|text| &**text).collect::<Array>();
    if *site.owners != *owners {
        table.insert("owners", value(texts(&site.owners)));
    }
    if !site.tags.is_empty() {
        table.insert("tags", value(texts(&site.tags)));
    }
    table
}

/// Adds a table behind the last of `[[sites]]`.
pub(super) fn push(document: &mut DocumentMut, mut table: Table) {
    if document.is_empty() {
        // All that is there is comments: they stay at the top.
        let comments = document.trailing().as_str().unwrap_or_default();
        if !comments.trim().is_empty() {
            table
                .decor_mut()
                .set_prefix(format!("{}\n\n", comments.trim_end()));
            document.set_trailing("");
        }
    }
    match document.get_mut("sites") {
        Some(Item::ArrayOfTables(tables)) => tables.push(table),
        Some(Item::Value(Value::Array(array))) => {
            array.push(table.into_inline_table());
        }
        _ => {
            let mut tables = ArrayOfTables::new();
            tables.push(table);
            document.insert("sites", Item::ArrayOfTables(tables));
        }
    }
}
