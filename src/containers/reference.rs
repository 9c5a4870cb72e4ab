//! Image references, as the container runtime reads them.
//!
//! Owns the grammar `[registry/]repository[:tag][@digest]` and the form in which the runtime reports it. Which
//! images exist is in [`super::catalogue`]. Source: the distribution project's reference grammar.

/// An image reference with its defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The registry's host: `docker.io` where none is written.
    pub registry: String,
    /// The repository: `library/nginx` for the official image `nginx`.
    pub repository: String,
    /// The tag: `latest` where neither tag nor digest is written.
    pub tag: String,
}

impl Reference {
    /// Reads a reference; `None` for text that is none (capital letters, empty parts, odd characters).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.split_once('@').map_or(text, |(name, _)| name);
        let (name, tag) = match text.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (text, "latest"),
        };
        let (registry, path) = match name.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (host, path),
            _ => ("docker.io", name),
        };
        let part = |part: &str| {
            let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
            ends(part.chars().next())
                && ends(part.chars().next_back())
                && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c))
        };
        let tag_fits = !tag.is_empty() && tag.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        if !tag_fits || !path.split('/').all(part) {
            return None;
        }
        let official = registry == "docker.io" && !path.contains('/');
        Some(Self {
            registry: registry.to_owned(),
            repository: if official { format!("library/{path}") } else { path.to_owned() },
            tag: tag.to_owned(),
        })
    }

    /// The last part of the repository: `nginx`.
    #[must_use]
    pub fn short_name(&self) -> &str {
        self.repository.rsplit('/').next().unwrap_or(&self.repository)
    }

    /// Whether it names one of Docker's official images.
    #[must_use]
    pub fn official_name(&self) -> Option<&str> {
        (self.registry == "docker.io").then(|| self.repository.strip_prefix("library/")).flatten()
    }

    /// The whole reference: `docker.io/library/nginx:latest`.
    #[must_use]
    pub fn full(&self) -> String {
        format!("{}/{}:{}", self.registry, self.repository, self.tag)
    }

    /// The tag's leading numbers: `[1, 28, 4]` for `1.28.4-glibc`; empty for `latest`.
    #[must_use]
    pub fn version(&self) -> Vec<u32> {
        let numbers =
            self.tag.trim_start_matches('v').split(|c: char| !c.is_ascii_digit() && c != '.').next();
        numbers.unwrap_or("").split('.').map_while(|number| number.parse().ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_get_their_defaults() {
        for (text, full) in [
            ("nginx", "docker.io/library/nginx:latest"),
            ("nginx:1.25", "docker.io/library/nginx:1.25"),
            ("eipwork/kuboard:v3", "docker.io/eipwork/kuboard:v3"),
            ("registry.k8s.io/e2e-test-images/agnhost:2.40", "registry.k8s.io/e2e-test-images/agnhost:2.40"),
            ("localhost:5000/app", "localhost:5000/app:latest"),
            ("nginx@sha256:abc", "docker.io/library/nginx:latest"),
        ] {
            assert_eq!(Reference::parse(text).unwrap().full(), full, "{text}");
        }
    }

    #[test]
    fn odd_text_is_no_reference() {
        for text in ["", "UPPER", "a//b", "nginx:", "-x", "a b"] {
            assert_eq!(Reference::parse(text), None, "{text}");
        }
    }

    #[test]
    fn versions_are_the_leading_numbers_of_a_tag() {
        assert_eq!(Reference::parse("busybox:1.28.4-glibc").unwrap().version(), [1, 28, 4]);
        assert_eq!(Reference::parse("busybox").unwrap().version(), Vec::<u32>::new());
    }
}
