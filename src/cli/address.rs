//! Where the service is.

use std::io::ErrorKind;
use std::path::Path;

use ureq::http::Uri;

use super::Failure;

const DEFAULT_URL: &str = "http://127.0.0.1:8080";

/// Where the service is, and how we know.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Base {
    /// The address, without a slash at its end.
    pub(super) url: String,
    told_by: String,
    /// Whether what is sent there stays on this machine.
    pub(super) on_this_machine: bool,
}

impl std::fmt::Display for Base {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.url, self.told_by)
    }
}

impl Base {
    /// The address that was told, else the one in the data folder, else the default.
    pub(super) fn find(url: Option<&str>, data: &Path) -> Result<Self, Failure> {
        if let Some(url) = url.filter(|url| !url.is_empty()) {
            return Self::read(url, "--url or METRUST_URL".to_owned());
        }
        let file = data.join("address");
        match std::fs::read_to_string(&file) {
            Ok(url) if !url.trim().is_empty() => {
                Self::read(url.trim(), format!("written in {}", file.display()))
            }
            _ => Self::read(DEFAULT_URL, "the default address".to_owned()),
        }
    }

    fn read(url: &str, told_by: String) -> Result<Self, Failure> {
        // The address itself is not repeated: it may hold a password.
        let wrong = || {
            Failure::usage(format!(
                "the service's address ({told_by}) must be like http://127.0.0.1:8080 or \
                 https://registry.example, without user, password and query"
            ))
        };
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let known = matches!(uri.scheme_str(), Some("http" | "https"));
        let authority = uri.authority().ok_or_else(wrong)?;
        if !known || authority.as_str().contains('@') || uri.query().is_some() {
            return Err(wrong());
        }
        let host = authority.host().trim_matches(['[', ']']);
        let address = host.parse::<std::net::IpAddr>();
        let on_this_machine = host.eq_ignore_ascii_case("localhost")
            || address.is_ok_and(|address| address.is_loopback() || address.is_unspecified());
        Ok(Self {
            url: url.trim_end_matches('/').to_owned(),
            told_by,
            on_this_machine,
        })
    }

    /// Why there is no answer.
    pub(super) fn unreachable(&self, error: &ureq::Error) -> Failure {
        const REMEDY: &str = "\n  remedy:     start the service with `metrust serve`, or say where \
                              it runs with --url, METRUST_URL or its data folder (--data)";
        Failure::new(match error {
            ureq::Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => {
                format!("nothing answers at {self}{REMEDY}")
            }
            ureq::Error::HostNotFound => {
                format!("the name of the host in {self} is not known here{REMEDY}")
            }
            ureq::Error::Timeout(_) => format!(
                "{self} did not answer in time\n  remedy:     try again; look at the service's log \
                 if it stays"
            ),
            error => format!(
                "the conversation with {self} broke off: {}{REMEDY}",
                explain(error)
            ),
        })
        .passing()
    }
}

/// What broke a connection, in the words of the library, which name no content.
fn explain(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof => {
            "the connection was closed before the end".to_owned()
        }
        ureq::Error::Io(error) => error.to_string(),
        // These could repeat what was sent or received.
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => "the request cannot be sent".to_owned(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_told_then_found_in_the_data_folder_then_the_default() {
        let data = tempfile::tempdir().unwrap();
        let find = |url| Base::find(url, data.path()).unwrap().url;
        assert_eq!(find(None), DEFAULT_URL);
        std::fs::write(data.path().join("address"), "http://127.0.0.1:4000\n").unwrap();
        assert_eq!(find(None), "http://127.0.0.1:4000");
        assert_eq!(find(Some("")), "http://127.0.0.1:4000");
        assert_eq!(
            find(Some("https://r.example/registry/")),
            "https://r.example/registry"
        );
    }

    #[test]
    fn an_address_that_cannot_be_one_is_refused_without_repeating_it() {
        for wrong in [
            "ftp://h",
            "h:80",
            "nonsense",
            "http://u:secret@h",
            "http://h/?key=secret",
        ] {
            let failure = Base::find(Some(wrong), Path::new("/")).unwrap_err();
            assert!(!failure.to_string().contains("secret"), "{failure}");
        }
    }

    #[test]
    fn no_proxy_sees_what_is_said_on_this_machine() {
        for (url, here) in [
            ("http://localhost:1", true),
            ("http://[::1]:1", true),
            ("http://127.9.9.9", true),
            ("https://registry.example", false),
        ] {
            let base = Base::read(url, String::new()).unwrap();
            assert_eq!(base.on_this_machine, here, "{url}");
        }
    }
}
