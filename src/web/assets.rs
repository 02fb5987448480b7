//! The style sheet, the icon and the one small script, compiled in.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::web::Path;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("assets/style.css");
const CODE: &str = include_str!("assets/code.js");
const ICON: &str = include_str!("assets/icon.svg");

/// Where the icon is.
pub(super) const ICON_PATH: &str = "/assets/icon.svg";

static STYLE_NAME: LazyLock<String> = LazyLock::new(|| named("style", STYLE, "css"));
static CODE_NAME: LazyLock<String> = LazyLock::new(|| named("code", CODE, "js"));

fn named(name: &str, content: &str, ending: &str) -> String {
    let digest = Sha256::digest(content.as_bytes());
    format!("{name}.{}.{ending}", HEXLOWER.encode(&digest[..6]))
}

/// Where the style sheet is: its name changes with its content, so browsers may keep it.
pub(super) fn style_path() -> String {
    format!("/assets/{}", *STYLE_NAME)
}

/// Where the script is that takes a code from the address into its box.
pub(super) fn code_script_path() -> String {
    format!("/assets/{}", *CODE_NAME)
}

/// Serves them.
pub(super) async fn serve(name: Path<String>) -> HttpResponse {
    let (content_type, keep, content) = match name.as_str() {
        "icon.svg" => ("image/svg+xml", "public, max-age=86400", ICON),
        name if name == *STYLE_NAME => (
            "text/css; charset=utf-8",
            "public, max-age=31536000, immutable",
            STYLE,
        ),
        name if name == *CODE_NAME => (
            "text/javascript; charset=utf-8",
            "public, max-age=31536000, immutable",
            CODE,
        ),
        _ => return HttpResponse::NotFound().finish(),
    };
    HttpResponse::Ok()
        .insert_header(("Content-Type", content_type))
        .insert_header(("Cache-Control", keep))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .body(content)
}
