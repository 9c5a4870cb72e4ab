//! Hashes of templates, by which ReplicaSets, ControllerRevisions and their Pods are named.
//!
//! Owns the form of these hashes (`ComputeHash` of Kubernetes' `controller_utils.go`).

use std::hash::Hasher;

use crate::api::value::Value;

/// FNV-1a with 32 bits over what is written to it.
struct Fnv(u32);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0.into()
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    }
}

/// The hash of a document, such as a Pod template: FNV-1a with 32 bits, its decimal digits written in the letters
/// of generated names (`rand.SafeEncodeString`). Go hashes its own printing of the struct, so the value itself
/// differs from a real cluster's.
pub(super) fn hash(template: &Value, collisions: i64) -> String {
    let mut hasher = Fnv(0x811c_9dc5);
    feed(template, &mut hasher);
    if collisions > 0 {
        hasher.write(&collisions.to_le_bytes());
    }
    const DIGITS: &[u8; 10] = b"456789bcdf";
    let digits = hasher.0.to_string();
    digits.bytes().map(|digit| char::from(DIGITS[usize::from(digit - b'0')])).collect()
}

fn feed(value: &Value, hasher: &mut Fnv) {
    match value {
        Value::Null => hasher.write(b"_"),
        Value::Bool(flag) => hasher.write(if *flag { b"t" } else { b"f" }),
        Value::Int(number) => hasher.write(number.to_string().as_bytes()),
        Value::Float(number) => hasher.write(number.to_string().as_bytes()),
        Value::Str(text) => {
            hasher.write(b"\"");
            hasher.write(text.as_bytes());
        }
        Value::List(items) => {
            hasher.write(b"[");
            items.iter().for_each(|item| feed(item, hasher));
        }
        Value::Map(map) => {
            hasher.write(b"{");
            for (key, value) in map.iter() {
                hasher.write(key.as_bytes());
                hasher.write(b":");
                feed(value, hasher);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn hashes_are_of_letters_and_digits_that_names_use() {
        let hash = hash(&value!({ "spec": { "containers": [] } }), 0);
        assert!((8..=10).contains(&hash.len()), "{hash}");
        assert!(hash.bytes().all(|byte| b"456789bcdf".contains(&byte)), "{hash}");
    }

    #[test]
    fn a_collision_changes_the_hash() {
        let template = value!({ "spec": {} });
        assert_ne!(hash(&template, 0), hash(&template, 1));
    }
}
