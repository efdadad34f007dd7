//! Files that are there whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Writes a file through a temporary one in the same folder that is synced and renamed: `path` never holds half a file,
/// and on an error it keeps what it held. A device or pipe is written directly.
///
/// # Errors
/// As [`check_place`]; [`Error::Io`] with the system's reason, from the file or from `write`.
pub fn write_atomically(path: &Path, write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>) -> Result<()> {
    check_place(path)?;
    let path = behind_links(path);
    let done = if is_replaced(&path) { replace(&path, write) } else { write_through(&path, write) };
    done.map_err(|source| Error::io(&path, source))
}

/// Whether a file can stand at `path`, as far as it can be told before there is something to write: an hour of work must
/// not end with a folder that is not there.
///
/// # Errors
/// [`Error::File`] if `path` is a folder or lies in none, [`Error::Io`] if nothing can be written there.
pub fn check_place(path: &Path) -> Result<()> {
    let folder = folder_of(&behind_links(path));
    if path.is_dir() {
        return Err(Error::file(path, "is a folder; name a file"));
    }
    if !folder.is_dir() {
        return Err(Error::file(path, format!("there is no folder {:?}", folder.display().to_string())));
    }
    if is_replaced(path) {
        tempfile::tempfile_in(folder).map_err(|source| Error::io(path, source))?;
    }
    Ok(())
}

/// Whether writing puts a new file in the place of an old one or of none; devices and pipes stay.
fn is_replaced(path: &Path) -> bool {
    fs::metadata(path).map_or(true, |metadata| metadata.is_file())
}

/// A link is followed, so that it stays a link.
fn behind_links(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn folder_of(path: &Path) -> PathBuf {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or(PathBuf::from("."), Into::into)
}

fn replace(path: &Path, write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>) -> io::Result<()> {
    let folder = folder_of(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".chainrule-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The usual rights of a new file, before the umask, instead of a private temporary file's.
        let rights = fs::metadata(path).map_or(0o666, |metadata| metadata.permissions().mode());
        builder.permissions(fs::Permissions::from_mode(rights));
    }
    let temporary = builder.tempfile_in(&folder)?;
    let file = write_buffered(temporary.as_file(), write)?;
    file.sync_all()?;
    temporary.persist(path).map_err(|error| error.error)?;
    // The rename itself is on disk once the folder is.
    #[cfg(unix)]
    File::open(&folder)?.sync_all()?;
    Ok(())
}

fn write_through(path: &Path, write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>) -> io::Result<()> {
    write_buffered(&OpenOptions::new().write(true).open(path)?, write).map(drop)
}

fn write_buffered(file: &File, write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>) -> io::Result<&File> {
    let mut buffer = BufWriter::with_capacity(1 << 18, file);
    write(&mut buffer)?;
    buffer.flush()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        write_atomically(&path, |out| out.write_all(b"old")).unwrap();
        let failed = write_atomically(&path, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("disk on fire"))
        });
        assert!(failed.unwrap_err().to_string().contains("disk on fire"));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        write_atomically(&path, |out| out.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn a_folder_or_a_missing_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(write_atomically(folder.path(), |_| Ok(())).is_err());
        assert!(write_atomically(&folder.path().join("none/out"), |_| Ok(())).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_a_device_a_device() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&path, "old").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        write_atomically(&link, |out| out.write_all(b"new")).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&path).unwrap(), b"new");
        write_atomically(Path::new("/dev/null"), |out| out.write_all(b"x")).unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
