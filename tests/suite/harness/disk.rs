//! A small disk that can be filled and made read-only.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::wait::eventually;

/// A small file system of its own, mounted on a folder for as long as this lives.
pub struct Disk {
    place: PathBuf,
}

impl Disk {
    /// Mounts one of so many kibibytes.
    #[track_caller]
    pub fn mount(place: &Path, kibibytes: u32) -> Self {
        fs::create_dir_all(place).unwrap();
        let size = format!("size={kibibytes}k,mode=0700");
        as_root(
            &["mount", "-t", "tmpfs", "-o", &size, "metrust-test"],
            place,
        );
        Self {
            place: place.into(),
        }
    }

    /// Takes all the room that is left.
    pub fn fill(&self) {
        let mut file = File::create(self.place.join("filler")).unwrap();
        for piece in [1 << 16, 256] {
            while file.write_all(&vec![0; piece]).is_ok() {}
        }
    }

    /// Gives it back.
    pub fn make_room(&self) {
        fs::remove_file(self.place.join("filler")).unwrap();
    }

    /// Lets nobody write. Waits for those who are writing.
    pub fn make_read_only(&self) {
        eventually("the disk is read-only", || {
            let remount = ["mount", "-o", "remount,ro"];
            let done = root_command(&remount, &self.place).output().unwrap();
            done.status.success()
        });
    }

    /// Lets everybody write again.
    #[track_caller]
    pub fn make_writable(&self) {
        as_root(&["mount", "-o", "remount,rw"], &self.place);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = root_command(&["umount", "-l"], &self.place).output();
    }
}

/// A command that needs root, as root or by `sudo`.
fn root_command(words: &[&str], place: &Path) -> Command {
    let is_root = Command::new("id").arg("-u").output();
    let is_root = is_root.is_ok_and(|id| id.stdout == b"0\n");
    let mut command = if is_root {
        Command::new(words[0])
    } else {
        let mut sudo = Command::new("sudo");
        sudo.arg("-n").arg(words[0]);
        sudo
    };
    command.args(&words[1..]).arg(place);
    command
}

#[track_caller]
fn as_root(words: &[&str], place: &Path) {
    let done = root_command(words, place).output().unwrap();
    assert!(
        done.status.success(),
        "{words:?} needs root, or sudo without a password: {}",
        String::from_utf8_lossy(&done.stderr)
    );
}
