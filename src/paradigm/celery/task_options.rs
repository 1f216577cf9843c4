//! The options of a check in a task.

use serde::{Serialize as _, Serializer};
use serde_json::Value;

use crate::domain::CheckOptions;

/// Writes options without what they leave out, so that workers that know no more than what is
/// said take the check.
pub(super) fn what_is_said<S: Serializer>(
    options: &Option<&CheckOptions>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut value = serde_json::to_value(options).map_err(serde::ser::Error::custom)?;
    leave_out(&mut value);
    value.serialize(serializer)
}

fn leave_out(value: &mut Value) {
    let Value::Object(members) = value else {
        if let Value::Array(elements) = value {
            elements.iter_mut().for_each(leave_out);
        }
        return;
    };
    members.retain(|_, member| {
        leave_out(member);
        match member {
            Value::Null => false,
            Value::Array(elements) => !elements.is_empty(),
            Value::Object(members) => !members.is_empty(),
            _ => true,
        }
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::task::tests::{order, read, spec};
    use super::*;
    use crate::domain::{Assertions, CheckSpec, JsonAssertion};
    use serde_json::json;

    fn demanding() -> CheckSpec {
        let assertions = Assertions {
            json: vec![JsonAssertion {
                path: "$.a".into(),
                ..JsonAssertion::default()
            }],
            ..Assertions::NONE
        };
        CheckSpec {
            options: Some(Arc::new(CheckOptions {
                assertions,
                ..CheckOptions::default()
            })),
            ..spec()
        }
    }

    #[test]
    fn options_travel_where_workers_that_know_none_refuse_them() {
        let mut order = order(&demanding());
        assert_eq!(
            order["options"],
            json!({"assertions": {"json": [{"path": "$.a"}]}})
        );
        assert!(order["look"].get("options").is_none());
        let received = read(std::slice::from_ref(&order)).unwrap();
        assert_eq!(received.spec, demanding());
        // Those of later versions, and those that are out of bounds.
        order["options"]["assertions"]["xpath"] = json!(["/a"]);
        assert!(read(std::slice::from_ref(&order)).is_err());
        order["options"] = json!({"assertions": {"max_body": u32::MAX}});
        assert!(read(&[order]).is_err());
    }
}
