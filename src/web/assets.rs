//! The style sheet, the icon and the scripts, compiled in.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::web::Path;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("assets/style.css");
const ICON: &str = include_str!("assets/icon.svg");

/// Scripts, each of use and none needed: the names they have here, and what they are.
const SCRIPTS: [(&str, &str); 2] = [
    ("code", include_str!("assets/code.js")),
    ("patience", include_str!("assets/patience.js")),
];

/// Where the icon is.
pub(super) const ICON_PATH: &str = "/assets/icon.svg";

static STYLE_NAME: LazyLock<String> = LazyLock::new(|| named("style", STYLE, "css"));

fn named(name: &str, content: &str, ending: &str) -> String {
    let digest = Sha256::digest(content.as_bytes());
    format!("{name}.{}.{ending}", HEXLOWER.encode(&digest[..6]))
}

/// Where the style sheet is: its name changes with its content, so browsers may keep it.
pub(super) fn style_path() -> String {
    format!("/assets/{}", *STYLE_NAME)
}

/// Where a script is, with the hash of its content in its name.
pub(super) fn script_path(name: &str) -> String {
    let script = SCRIPTS.iter().find(|(known, _)| *known == name);
    let script = script.map_or("", |(_, script)| script);
    format!("/assets/{}", named(name, script, "js"))
}

/// Serves them all.
pub(super) async fn serve(name: Path<String>) -> HttpResponse {
    let (content_type, keep, content) = match name.as_str() {
        "icon.svg" => ("image/svg+xml", "public, max-age=86400", ICON),
        name if name == *STYLE_NAME => (
            "text/css; charset=utf-8",
            "public, max-age=31536000, immutable",
            STYLE,
        ),
        name => {
            let script = SCRIPTS
                .iter()
                .find(|(known, script)| name == named(known, script, "js"));
            let Some((_, script)) = script else {
                return HttpResponse::NotFound().finish();
            };
            (
                "text/javascript; charset=utf-8",
                "public, max-age=31536000, immutable",
                *script,
            )
        }
    };
    HttpResponse::Ok()
        .insert_header(("Content-Type", content_type))
        .insert_header(("Cache-Control", keep))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .body(content)
}
