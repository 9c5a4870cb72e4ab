//! Pulling images.
//!
//! Owns which images a node has, and what is said about a pull. Which images exist is in
//! [`crate::containers::catalogue`].

use std::collections::BTreeSet;

use crate::api::typed::Container;
use crate::api::value::SmolStr;
use crate::containers::Reference;
use crate::containers::catalogue::{Known, find};

/// Images that the nodes of a new world have already, as those of the recorded cluster had.
const PRESENT: [&str; 2] = ["docker.io/library/nginx:1.14.2", "docker.io/library/nginx:1.25"];
/// The size of an image that the catalogue does not know, in bytes.
const USUAL_BYTES: u64 = 45_000_000;
/// The fastest pull, and how many bytes come in a millisecond beyond that.
const PULL_MS: (u64, u64) = (350, 1_000_000);

/// The images on the nodes.
#[derive(Debug, Default)]
pub(super) struct Images {
    pulled: BTreeSet<(SmolStr, String)>,
}

/// How a container gets its image.
#[derive(Debug, PartialEq)]
pub(super) enum Pull {
    /// The node has it.
    Present,
    /// It was pulled; what the Event says.
    Pulled(String),
    /// It cannot be had; why.
    Failed(String),
    /// Its name is no image reference; why.
    InvalidName(String),
    /// It must not be pulled and is not there.
    Never,
}

/// Whether an image can be pulled.
pub(super) fn exists(image: &str) -> bool {
    Reference::parse(image).is_some_and(|reference| !matches!(find(&reference), Known::Missing))
}

/// The form in which the runtime reports a running container's image.
pub(super) fn full_name(image: &str) -> SmolStr {
    Reference::parse(image).map_or_else(|| image.into(), |reference| reference.full().into())
}

/// The image ID: the repository with a digest that is always the same for one image.
pub(super) fn image_id(full: &str) -> SmolStr {
    let repository = full.rsplit_once(':').map_or(full, |(name, _)| name);
    let mut words = [0u64; 4];
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for word in &mut words {
        for byte in full.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        *word = hash ^ (hash >> 29);
    }
    let [a, b, c, d] = words;
    format!("{repository}@sha256:{a:016x}{b:016x}{c:016x}{d:016x}").into()
}

impl Images {
    /// Gets the image of a container for a node.
    pub(super) fn pull(&mut self, node: &SmolStr, container: &Container) -> Pull {
        let image = &container.image;
        let Some(reference) = Reference::parse(image) else {
            return Pull::InvalidName(format!(
                "Failed to apply default image tag \"{image}\": couldn't parse image name \"{image}\": invalid reference format"
            ));
        };
        let full = reference.full();
        let policy = container.document.get("imagePullPolicy").str();
        let at = (node.clone(), full);
        let present = PRESENT.contains(&at.1.as_str()) || self.pulled.contains(&at);
        if present && policy != "Always" {
            return Pull::Present;
        }
        if policy == "Never" {
            return Pull::Never;
        }
        let (_, full) = &at;
        let bytes = match find(&reference) {
            Known::Missing => {
                return Pull::Failed(format!(
                    "failed to pull and unpack image \"{full}\": failed to resolve image: {full}: not found"
                ));
            }
            Known::Image(image) if image.bytes > 0 => image.bytes,
            _ => USUAL_BYTES,
        };
        let ms = PULL_MS.0 + bytes / PULL_MS.1;
        self.pulled.insert(at);
        Pull::Pulled(format!(
            "Successfully pulled image \"{image}\" in {ms}ms ({ms}ms including waiting). Image size: {bytes} bytes."
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_ids_name_the_repository_and_repeat() {
        let id = image_id(&full_name("httpd:2.4"));
        assert!(id.starts_with("docker.io/library/httpd@sha256:"), "{id}");
        assert_eq!(id.len(), "docker.io/library/httpd@sha256:".len() + 64);
        assert_eq!(id, image_id(&full_name("httpd:2.4")));
        assert_ne!(id, image_id(&full_name("httpd:2.2")));
    }

    #[test]
    fn images_exist_unless_their_name_says_no() {
        assert!(exists("nginx"));
        assert!(!exists("ngnix"));
        assert!(!exists("Not An Image"));
    }
}
