//! How the most lines are written in a file: a number, or `any` (TOML has no word for nothing).

use serde::{Deserialize, Deserializer, Serializer, de};

#[derive(Deserialize)]
#[serde(untagged, expecting = "a number of lines, or \"any\"")]
enum Written {
    Number(u32),
    Word(String),
}

#[allow(clippy::trivially_copy_pass_by_ref, clippy::ref_option, reason = "the form that serde asks for")]
pub(super) fn serialize<S: Serializer>(terms: &Option<u32>, serializer: S) -> Result<S::Ok, S::Error> {
    match terms {
        Some(most) => serializer.serialize_u32(*most),
        None => serializer.serialize_str("any"),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    match Written::deserialize(deserializer)? {
        Written::Number(most) => Ok(Some(most)),
        Written::Word(word) if word == "any" => Ok(None),
        Written::Word(word) => {
            Err(de::Error::invalid_value(de::Unexpected::Str(&word), &"a number of lines, or \"any\""))
        }
    }
}

/// What a project file's schema says of it.
#[cfg(feature = "schema")]
pub(super) fn schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "anyOf": [{ "type": "integer", "minimum": 1 }, { "const": "any" }] })
}
