//! The evidence as one file that anybody can open: the entries with their proofs, a page that
//! explains them, and a program that checks them.

use std::io::{self, Cursor, Write};

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{Shown, not_there};
use crate::api::{State, client_network};
use crate::domain::{Op, ReportId};
use crate::service::record::receipt::Proof;
use crate::service::report::ReportView;
use crate::service::report::pack::{Evidence, Piece};
use crate::web::answer::{attachment, language, message, see_other};
use crate::web::opt_out::failure;
use crate::web::pages::{Frame, MessageKind, Report};
use crate::web::texts::{Language, fill};
use crate::web::{Desk, DeskData, visit};

const CHECK: &str = include_str!("pack/check.py");

/// The signature of a checkpoint, checked with `openssl` and the usual tools. A key has twelve
/// fixed bytes before it in the form that `openssl` reads (RFC 8410).
const OPENSSL: &str = r#"    proof=$(ls entries/*.tlog-proof | head -n 1)
    work=$(mktemp -d)
    sed '1,/^$/d' "$proof" > "$work/note"
    head -n 3 "$work/note" > "$work/text"
    log=$(head -n 1 "$work/text")
    for vkey in $(grep -F "$log+" vkeys); do
      id=$(printf '%s' "$vkey" | cut -d + -f 2)
      { printf '\060\052\060\005\006\003\053\145\160\003\041\000'
        printf '%s' "$vkey" | cut -d + -f 3- | base64 -d | tail -c 32; } > "$work/key"
      grep -F -- "— $log " "$work/note" | cut -d ' ' -f 3 | while read -r line; do
        printf '%s' "$line" | base64 -d > "$work/signed"
        [ "$(head -c 4 "$work/signed" | od -An -tx1 | tr -d ' \n')" = "$id" ] || continue
        tail -c 64 "$work/signed" > "$work/signature"
        openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/key" -rawin -in "$work/text" -sigfile "$work/signature"
      done
    done
    rm -r "$work""#;

/// `GET /reports/{id}/evidence.zip`.
pub(in crate::web) async fn download(
    state: State,
    desk: DeskData,
    request: HttpRequest,
    id: Path<String>,
) -> HttpResponse {
    let access = match visit::access(&state, &desk, &request).await {
        Ok(Some(access)) => access,
        Ok(None) => return see_other(&desk, "/registration", None),
        Err(error) => return message(&desk, &request, failure(&error)),
    };
    let Some(id) = ReportId::parse(&id) else {
        return message(&desk, &request, MessageKind::NotFound);
    };
    let from = client_network(&request, &state.settings.http.trusted_proxies);
    if let Err(too_many) = state.limits.code(from) {
        let retry_after = too_many.retry_after;
        return message(
            &desk,
            &request,
            MessageKind::TooManyRequests { retry_after },
        );
    }
    let evidence = match state.service.evidence(&access, id).await {
        Ok(evidence) => evidence,
        Err(error) => return not_there(&desk, &request, &error),
    };
    let language = language(&desk, &request);
    let shown = Shown::new(&state, &evidence.report);
    let frame = Frame {
        language,
        site: &desk.site,
    };
    let page = shown.view(&desk, frame, "", "", None);
    let readme = readme(&desk, language, &evidence, &page);
    match packed(&evidence, &readme) {
        Ok(file) => attachment(&desk, "application/zip", "metrust-evidence.zip", file),
        Err(_) => message(&desk, &request, MessageKind::Broken),
    }
}

/// The files of the pack.
fn packed(evidence: &Evidence, readme: &str) -> io::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut put = |name: &str, content: &[u8]| -> io::Result<()> {
        zip.start_file(format!("metrust-evidence/{name}"), options)?;
        zip.write_all(content)
    };
    put("README.md", readme.as_bytes())?;
    put("check.py", CHECK.as_bytes())?;
    put("vkeys", evidence.vkeys.as_bytes())?;
    if let Some(openings) = &evidence.openings {
        put("openings.txt", openings.as_bytes())?;
    }
    let mut report = serde_json::to_vec_pretty(&evidence.report)?;
    report.push(b'\n');
    put("report.json", &report)?;
    for (place, piece) in evidence.pieces.iter().enumerate() {
        let name = format!("entries/{}", name(place, piece));
        put(&format!("{name}.json"), &piece.entry)?;
        match &piece.proof {
            Proof::Sealed { proof, .. } => {
                put(&format!("{name}.tlog-proof"), proof.as_bytes())?;
            }
            Proof::Promised { promise } => put(&format!("{name}.promise"), promise.as_bytes())?,
        }
    }
    Ok(zip.finish()?.into_inner())
}

fn name(place: usize, piece: &Piece) -> String {
    format!("{:02}-{}", place + 1, piece.op.as_str())
}

/// The page that explains it, in the person's language.
fn readme(desk: &Desk, language: Language, evidence: &Evidence, page: &Report<'_>) -> String {
    let text = match language {
        Language::Nl => include_str!("pack/nl.md"),
        Language::Fr => include_str!("pack/fr.md"),
        Language::De => include_str!("pack/de.md"),
        Language::En => include_str!("pack/en.md"),
    };
    let texts = language.texts();
    let words = |at| desk.local_time(at).words_with_zone(texts);
    let report: &ReportView = &evidence.report;
    let since = report
        .opted_out_since
        .map_or_else(|| texts.report.not_opted_out_yet.to_owned(), &words);
    let pieces: Vec<String> = evidence
        .pieces
        .iter()
        .enumerate()
        .map(|(place, piece)| {
            let what = what(piece, report, page);
            format!(
                "- `{}.json`: {}. {what}",
                name(place, piece),
                words(piece.at)
            )
        })
        .collect();
    // Without openings nobody can tell which number an entry is about.
    let plain = report.telling.as_ref().map(|telling| &telling.number);
    let plain = plain.filter(|_| evidence.openings.is_some());
    let number = plain.map_or_else(String::new, |number| format!(" --number {number}"));
    let values = [
        ("made", words(crate::domain::Moment::now())),
        ("name", desk.site.name.clone()),
        ("finding", page.found().to_owned()),
        ("company", page.company_name().to_owned()),
        ("called", page.called()),
        ("sent", words(report.at)),
        ("since", since),
        ("entries", pieces.join("\n")),
        ("for_number", number),
        ("number", page.number.to_owned()),
        ("address", desk.site.address.clone().unwrap_or_default()),
        ("openssl", OPENSSL.to_owned()),
    ];
    values.iter().fold(text.to_owned(), |text, (name, value)| {
        fill(&text, name, value)
    })
}

/// What an entry is about.
fn what(piece: &Piece, report: &ReportView, page: &Report<'_>) -> String {
    let texts = &page.frame.texts().report;
    let id = piece.id.to_string();
    let check = report.checks.iter().position(|check| check.id == id);
    match (piece.op, check.and_then(|place| page.checks.get(place))) {
        (_, Some(check)) => {
            format!("{} {}", page.asked(check), page.told(check))
        }
        (Op::Register, None) => texts.piece_register.to_owned(),
        _ => texts.piece_report.to_owned(),
    }
}
