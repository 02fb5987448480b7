//! `metrust init`: the data folder and its two keys, before the first start.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::output::say;
use super::{Failure, Outcome};
use crate::service::keys::{self, KeySource};
use crate::settings::{DEFAULTS, Overrides, Settings};
use crate::store::Engine;

/// Make the data folder and its two keys, or print the settings
///
/// `metrust serve` does the same at its first start; init is for putting the keys in place, and a
/// copy of them somewhere safe, before there is anything to lose. It never overwrites a key.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  metrust init --data /var/lib/metrust
  metrust init --print-config > metrust.toml       then: metrust serve --config metrust.toml

Exit status: 0 made, 1 there are keys already or they cannot be made; nothing was changed then.")]
pub(super) struct Init {
    /// Print every setting, with its meaning and its default, and make nothing
    #[arg(long)]
    print_config: bool,
}

impl Init {
    pub(super) fn run(&self, data: &Path) -> Outcome {
        if self.print_config {
            say(DEFAULTS)?;
        } else {
            make(data)?;
            say(&advice(data))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn make(data: &Path) -> Result<(), Failure> {
    let settings = Settings::load(None, &Overrides::default())
        .map_err(|error| Failure::usage(error.to_string()))?;
    let fail = |error: keys::KeysError| Failure::new(error.to_string());
    match KeySource::find(&settings, data).map_err(fail)? {
        KeySource::Missing => {}
        KeySource::Folder(_) => {
            return Err(Failure::new(format!(
                "{} holds both keys already; nothing was changed",
                data.join("keys").display()
            )));
        }
        KeySource::Settings(_) => {
            return Err(Failure::new(
                "the environment gives both keys (METRUST__KEYS__…), so the data folder needs \
                 none; nothing was changed",
            ));
        }
    }
    // New keys beside an old store would make every number in it look free.
    if let Engine::Embedded { file } = settings.engine(data)
        && file.exists()
    {
        return Err(Failure::new(format!(
            "{} is there, but the keys that it was written with are not. New ones could not read \
             it; nothing was changed\n  remedy:     restore {} from your backup, or name another \
             folder with --data",
            file.display(),
            data.join("keys").display()
        )));
    }
    keys::make(data).map(|_| ()).map_err(fail)
}

fn advice(data: &Path) -> String {
    let [master, index] = keys::paths(data);
    let [data, folder, master, index] =
        [data, &data.join("keys"), &master, &index].map(|path| path.display().to_string());
    format!(
        "\
The data folder {data} is ready. Its two keys are

  {master}
  {index}

LOSING THEM IS LOSING THE LIST: without both, nobody can read what is in it.
Copy them now to a place that is safe, encrypted, and not on this machine; for example

  tar -C {data} -cz keys | gpg --symmetric --output metrust-keys.tar.gz.gpg

To restore them, put the folder back at {folder}, readable by its owner only.
Start the service with:

  metrust serve --data {data}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_never_beside_a_store_that_lost_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        make(&data).unwrap();
        let before = std::fs::read(data.join("keys/master.key")).unwrap();
        assert!(make(&data).unwrap_err().to_string().contains("already"));
        assert_eq!(std::fs::read(data.join("keys/master.key")).unwrap(), before);
        std::fs::write(data.join("metrust.redb"), "").unwrap();
        std::fs::remove_dir_all(data.join("keys")).unwrap();
        assert!(make(&data).unwrap_err().to_string().contains("backup"));
        assert!(!data.join("keys").exists());
        assert!(!advice(&data).contains(std::str::from_utf8(&before).unwrap().trim()));
    }
}
