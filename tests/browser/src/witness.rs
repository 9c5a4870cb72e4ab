//! What the browser saw: errors in the console, requests, and how much they carried.

use crate::driver::Extension;
use crate::page::Page;
use crate::site::dist;
use brotli::enc::BrotliEncoderParams;
use serde_json::Value;
use std::collections::BTreeSet;
use std::{env, fs};

impl Page {
    /// Errors and warnings of the Content-Security-Policy and of failed requests included, so far.
    pub fn console_errors(&self) -> Vec<String> {
        for entry in self.log("browser") {
            if entry["level"] == "SEVERE" {
                let message = entry["message"].as_str().unwrap_or_default().to_owned();
                self.errors.borrow_mut().push(message);
            }
        }
        self.errors.borrow().clone()
    }

    /// Forgets the errors so far, for a test that provokes some.
    pub fn forget_errors(&self) {
        self.errors.borrow_mut().clear();
    }

    /// Addresses that the page asked for, in order.
    pub fn requests(&self) -> Vec<String> {
        for entry in self.log("performance") {
            let message = entry["message"].as_str().unwrap_or_default();
            let message: Value = serde_json::from_str(message).unwrap_or_default();
            if message["message"]["method"] == "Network.requestWillBeSent" {
                let url = &message["message"]["params"]["request"]["url"];
                let url = url.as_str().unwrap_or_default().to_owned();
                self.requests.borrow_mut().push(url);
            }
        }
        self.requests.borrow().clone()
    }

    /// Those of [`Self::requests`] that went to another place than the site itself.
    pub fn foreign_requests(&self) -> Vec<String> {
        let own = format!("{}/", self.site.origin());
        let mut requests = self.requests();
        requests
            .retain(|url| !url.starts_with(&own) && !url.starts_with("data:") && !url.starts_with("blob:"));
        requests
    }

    /// The bytes of all files of the site that the page has got so far, each compressed by brotli at its
    /// best, as a web server would send it; without the editor script, which nobody waits for.
    /// `PORTSIDE_SIZES` lists them.
    ///
    /// # Panics
    ///
    /// When it has asked for a file that the site does not hold.
    pub fn loaded_bytes(&self) -> usize {
        let root = dist();
        let base = self.site.url();
        let requests: BTreeSet<String> = self.requests().into_iter().collect();
        let files = requests
            .iter()
            .filter_map(|url| url.strip_prefix(&base))
            .filter(|file| !file.starts_with("vendor/") && !self.site.held.holds(file));
        let sizes = files.map(|file| {
            let file = if file.is_empty() { "index.html" } else { file };
            let content = fs::read(root.join(file)).unwrap_or_else(|error| panic!("dist/{file}: {error}"));
            let mut packed = Vec::new();
            let parameters = BrotliEncoderParams::default();
            brotli::BrotliCompress(&mut content.as_slice(), &mut packed, &parameters)
                .expect("a Vec takes bytes");
            if env::var_os("PORTSIDE_SIZES").is_some() {
                eprintln!("{:8} {file}", packed.len());
            }
            packed.len()
        });
        sizes.sum()
    }

    fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self
            .runtime
            .block_on(self.client.issue_cmd(Extension::log(kind)))
            .expect("chromedriver keeps logs");
        entries.as_array().cloned().unwrap_or_default()
    }
}
