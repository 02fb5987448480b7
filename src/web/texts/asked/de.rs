//! German.

use super::AskedTexts;

/// The texts about who asked.
pub const DE: AskedTexts = AskedTexts {
    asked_title: "Wer nach meiner Nummer gefragt hat",
    asked_lede: "Vor einem Anruf müssen Unternehmen hier fragen. Das ist jede Frage nach Ihrer Nummer, mit unserer Antwort.",
    asked_since: "Das beginnt am {since}, mit Ihrer Eintragung. Was davor war, zeigen wir nicht: Wir verlangen von niemandem den Beweis, dass eine Nummer ihm gehört.",
    asked_none: "Bisher hat niemand gefragt. Auch das sagt etwas: Wer Sie jetzt anruft, hat hier nicht zuerst nachgesehen.",
    asked_opening: "Jemand, der das Protokoll lesen darf, hat diese Nummer gesucht: die Aufsicht, oder Sie selbst für Ihre Nachweise.",
    asked_plot: "Fragen pro Tag",
    asked_more: "Hier sehen Sie die neuesten {n}. In der Datei stehen mehr.",
    asked_download: "Als Tabelle herunterladen",
    column_time: "Zeit",
    column_number: "Nummer",
    column_agency: "Callcenter",
    column_company: "Unternehmen",
    column_channel: "Wofür",
    column_answer: "Unsere Antwort",
    column_entry: "Nummer im Protokoll",
};
