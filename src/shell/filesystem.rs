//! File systems: small, in memory, one per place.
//!
//! Owns paths, directories and texts. The workstation's `/root` holds the editor's files; a node's and a
//! container's hold what their image brings and what commands write. Does not know places or commands.
//! Links, owners and permissions are not simulated. Sizes are bounded.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A file system that several shells of one place share.
pub type Files = Rc<RefCell<FileSystem>>;

/// Bytes in one file at most.
const FILE_LIMIT: usize = 8 * 1024 * 1024;
/// Files and directories in one file system at most.
const ENTRY_LIMIT: usize = 10_000;

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A file and its text.
    File(Rc<str>),
    /// A directory.
    Directory,
}

/// Why a path cannot be used so; [`FileError::words`] are those of the C library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileError {
    /// Nothing stands there.
    NotFound,
    /// A directory stands where a file is meant.
    IsDirectory,
    /// A file stands where a directory is meant.
    NotDirectory,
    /// Something stands there already.
    Exists,
    /// The directory has entries.
    NotEmpty,
    /// The limits of this file system.
    NoSpace,
}

impl FileError {
    /// The words of `strerror`.
    pub fn words(self) -> &'static str {
        match self {
            Self::NotFound => "No such file or directory",
            Self::IsDirectory => "Is a directory",
            Self::NotDirectory => "Not a directory",
            Self::Exists => "File exists",
            Self::NotEmpty => "Directory not empty",
            Self::NoSpace => "No space left on device",
        }
    }
}

/// Directories and texts by absolute path.
#[derive(Clone, Debug)]
pub struct FileSystem {
    entries: BTreeMap<String, Entry>,
    changes: u64,
}

impl Default for FileSystem {
    fn default() -> Self {
        Self { entries: BTreeMap::from([("/".to_owned(), Entry::Directory)]), changes: 0 }
    }
}

/// `path` as an absolute path without `.`, `..` and double slashes, seen from `directory`.
pub fn absolute(directory: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let start = if path.starts_with('/') { "" } else { directory };
    for part in start.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

/// The directory that holds `path`, which is absolute.
pub fn parent(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) | None => "/",
        Some(end) => &path[..end],
    }
}

/// The last part of `path`.
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Adds text to the end of the file at `path`, which is absolute.
///
/// # Errors
/// When the path cannot be a file, or the file would be too long.
pub fn append(files: &mut FileSystem, path: &str, text: &str) -> Result<(), FileError> {
    let mut whole = match files.read(path) {
        Ok(held) => held.to_string(),
        Err(FileError::NotFound) => String::new(),
        Err(error) => return Err(error),
    };
    whole.push_str(text);
    files.write(path, &whole)
}

impl FileSystem {
    /// What stands at `path`, which is absolute.
    pub fn entry(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// Whether a directory stands at `path`.
    pub fn is_directory(&self, path: &str) -> bool {
        matches!(self.entry(path), Some(Entry::Directory))
    }

    /// Grows with every change: whoever shows files looks again when it has grown.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// The text of the file at `path`.
    ///
    /// # Errors
    /// When no file stands there.
    pub fn read(&self, path: &str) -> Result<Rc<str>, FileError> {
        match self.entry(path) {
            Some(Entry::File(text)) => Ok(Rc::clone(text)),
            Some(Entry::Directory) => Err(FileError::IsDirectory),
            None => Err(self.missing(path)),
        }
    }

    /// Makes or replaces the file at `path`.
    ///
    /// # Errors
    /// When its directory does not exist, a directory stands there, or a limit is reached.
    pub fn write(&mut self, path: &str, text: &str) -> Result<(), FileError> {
        self.check_writable(path)?;
        if text.len() > FILE_LIMIT || self.entries.len() >= ENTRY_LIMIT {
            return Err(FileError::NoSpace);
        }
        self.put(path, Entry::File(Rc::from(text)));
        Ok(())
    }

    /// Whether [`FileSystem::write`] would find a place at `path`.
    ///
    /// # Errors
    /// As for `write`.
    pub fn check_writable(&self, path: &str) -> Result<(), FileError> {
        if self.is_directory(path) {
            return Err(FileError::IsDirectory);
        }
        match self.entry(parent(path)) {
            Some(Entry::Directory) => Ok(()),
            Some(Entry::File(_)) => Err(FileError::NotDirectory),
            None => Err(self.missing(path)),
        }
    }

    /// Makes a directory, with those above it if `parents`.
    ///
    /// # Errors
    /// When something stands there, or nothing above it.
    pub fn make_directory(&mut self, path: &str, parents: bool) -> Result<(), FileError> {
        match self.entry(path) {
            Some(Entry::Directory) if parents => return Ok(()),
            Some(_) => return Err(FileError::Exists),
            None => {}
        }
        if self.entries.len() >= ENTRY_LIMIT {
            return Err(FileError::NoSpace);
        }
        match self.entry(parent(path)) {
            Some(Entry::Directory) => {}
            Some(Entry::File(_)) => return Err(FileError::NotDirectory),
            None if parents => self.make_directory(parent(path), true)?,
            None => return Err(FileError::NotFound),
        }
        self.put(path, Entry::Directory);
        Ok(())
    }

    /// Removes a file, or with `whole` a directory and all in it.
    ///
    /// # Errors
    /// When nothing stands there, or a directory and not `whole`.
    pub fn remove(&mut self, path: &str, whole: bool) -> Result<(), FileError> {
        match self.entry(path) {
            None => return Err(self.missing(path)),
            Some(Entry::Directory) if !whole => return Err(FileError::IsDirectory),
            Some(_) => {}
        }
        self.changes += 1;
        let inside = format!("{}/", path.trim_end_matches('/'));
        self.entries.retain(|held, _| held == "/" || (held != path && !held.starts_with(&inside)));
        Ok(())
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// When it is none, or not empty.
    pub fn remove_directory(&mut self, path: &str) -> Result<(), FileError> {
        match self.entry(path) {
            None => Err(self.missing(path)),
            Some(Entry::File(_)) => Err(FileError::NotDirectory),
            Some(Entry::Directory) if !self.names(path).is_empty() => Err(FileError::NotEmpty),
            Some(Entry::Directory) => self.remove(path, true),
        }
    }

    /// The names in a directory, in order of bytes.
    pub fn names(&self, directory: &str) -> Vec<String> {
        let inside = if directory == "/" { "/".to_owned() } else { format!("{directory}/") };
        self.entries
            .range(inside.clone()..)
            .take_while(|(path, _)| path.starts_with(&inside))
            .filter_map(|(path, _)| {
                let name = &path[inside.len()..];
                (!name.is_empty() && !name.contains('/')).then(|| name.to_owned())
            })
            .collect()
    }

    /// Everything below `path` and itself, in order of path.
    pub fn below(&self, path: &str) -> Vec<(String, Entry)> {
        let inside = format!("{}/", path.trim_end_matches('/'));
        self.entries
            .iter()
            .filter(|(held, _)| *held == path || held.starts_with(&inside))
            .map(|(held, entry)| (held.clone(), entry.clone()))
            .collect()
    }

    fn put(&mut self, path: &str, entry: Entry) {
        self.changes += 1;
        self.entries.insert(path.to_owned(), entry);
    }

    /// Nothing at `path`: because of a file above it, or simply so.
    fn missing(&self, path: &str) -> FileError {
        let mut above = parent(path);
        while above != "/" {
            if matches!(self.entry(above), Some(Entry::File(_))) {
                return FileError::NotDirectory;
            }
            above = parent(above);
        }
        FileError::NotFound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_absolute() {
        for (directory, path, expected) in [
            ("/root", "a.yaml", "/root/a.yaml"),
            ("/root", "../etc//hosts", "/etc/hosts"),
            ("/", "..", "/"),
            ("/root", "/tmp/./x", "/tmp/x"),
            ("/root", ".", "/root"),
        ] {
            assert_eq!(absolute(directory, path), expected, "{path} in {directory}");
        }
    }

    #[test]
    fn directories_list_only_what_is_directly_in_them() {
        let mut files = FileSystem::default();
        files.make_directory("/root/deep", true).expect("free path");
        files.write("/root/b", "1").expect("directory exists");
        files.write("/root/deep/c", "2").expect("directory exists");
        assert_eq!(files.names("/root"), ["b", "deep"]);
        assert_eq!(files.names("/"), ["root"]);
        assert_eq!(files.write("/root", "x"), Err(FileError::IsDirectory));
        assert_eq!(files.write("/root/b/c", "x"), Err(FileError::NotDirectory));
        assert_eq!(files.remove("/root/deep", false), Err(FileError::IsDirectory));
        files.remove("/root/deep", true).expect("it exists");
        assert_eq!(files.names("/root"), ["b"]);
    }
}
