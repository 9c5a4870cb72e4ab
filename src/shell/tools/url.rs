//! URLs, as far as HTTP clients need them.
//!
//! Owns splitting `[scheme://]host[:port][/path]`; it fetches nothing.

/// A URL taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// `http`, `https`, or whatever stands before `://`; `http` where nothing does.
    pub scheme: String,
    /// The host: a name or an address, IPv6 without its brackets.
    pub host: String,
    /// The port written, if one is.
    pub written_port: Option<u16>,
    /// Path and query; at least `/`.
    pub target: String,
}

/// Why text is no URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadUrl;

impl Url {
    /// Takes a URL apart.
    ///
    /// # Errors
    ///
    /// [`BadUrl`] for one without a host, with a port that is none, or with characters that no URL has.
    pub fn parse(text: &str) -> Result<Self, BadUrl> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (host, port) = match authority.strip_prefix('[') {
            Some(inner) => {
                let (host, rest) = inner.split_once(']').ok_or(BadUrl)?;
                (host, rest.strip_prefix(':'))
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let written_port = match port {
            Some("") | None => None,
            Some(port) => Some(port.parse::<u16>().map_err(|_| BadUrl)?),
        };
        if host.is_empty()
            || host.contains(|c: char| c.is_whitespace() || c.is_control() || "<>{}|\\^`\"".contains(c))
        {
            return Err(BadUrl);
        }
        let target = target.split('#').next().unwrap_or("");
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        Ok(Self { scheme: scheme.to_ascii_lowercase(), host: host.to_owned(), written_port, target })
    }

    /// The port: the one written, or the scheme's.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.written_port.unwrap_or(if self.scheme == "https" { 443 } else { 80 })
    }

    /// The value of a `Host` header.
    #[must_use]
    pub fn host_header(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let usual = if self.scheme == "https" { 443 } else { 80 };
        match self.written_port {
            Some(port) if port != usual => format!("{host}:{port}"),
            _ => host,
        }
    }

    /// Where a `Location` header leads from here.
    ///
    /// # Errors
    ///
    /// [`BadUrl`] if it is no URL.
    pub fn join(&self, location: &str) -> Result<Self, BadUrl> {
        if location.contains("://") {
            return Self::parse(location);
        }
        let target = if location.starts_with('/') { location.to_owned() } else { format!("/{location}") };
        Ok(Self { target, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_come_apart() {
        for (text, host, port, target) in [
            ("web", "web", 80, "/"),
            ("http://web:8080/a?b=c#d", "web", 8080, "/a?b=c"),
            ("https://web", "web", 443, "/"),
            ("[fd00::1]:81/x", "fd00::1", 81, "/x"),
            ("web?x", "web", 80, "/?x"),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!((url.host.as_str(), url.port(), url.target.as_str()), (host, port, target), "{text}");
        }
        for text in ["http://", "web:99999", "web:http", "a b"] {
            assert_eq!(Url::parse(text), Err(BadUrl), "{text}");
        }
    }
}
