//! A new file, which has its name only when it is complete.

use std::io;
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

/// The folder of `path`.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Creates a hidden file beside `path`, which only its owner can read. Only a killed process leaves it, so its name
/// contains the name of `path`.
pub(crate) fn create(path: &Path) -> io::Result<NamedTempFile> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Builder::new().prefix(&format!(".{name}.")).suffix(".partial").tempfile_in(folder(path))
}

/// Gives the complete file its name.
///
/// # Errors
///
/// Returns an error if `path` exists, or if the content cannot be written to the disk.
pub(crate) fn complete(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use super::*;

    #[test]
    fn completes_a_file_once_and_leaves_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.jsonl");
        for (content, succeeds) in [("first", true), ("second", false)] {
            let mut file = create(&path).unwrap();
            let name = file.path().file_name().unwrap().to_str().unwrap().to_owned();
            assert!(name.starts_with(".users.jsonl.") && name.ends_with(".partial"), "{name}");
            file.write_all(content.as_bytes()).unwrap();
            assert_eq!(complete(file, &path).is_ok(), succeeds);
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
