//! German.

use super::AskedTexts;

/// The texts about who asked.
pub const DE: AskedTexts = AskedTexts {
    asked_title: "Wer meine Nummer geprüft hat",
    asked_lede: "Unternehmen, die dieses Register nutzen, fragen hier nach, bevor sie anrufen.",
    asked_all: "Hier sehen Sie alle Abfragen Ihrer Nummern, mit unserer Antwort.",
    asked_chosen: "Hier sehen Sie die Abfragen der Unternehmen, die Sie gewählt haben, mit unserer Antwort. Abfragen anderer Unternehmen stehen hier nicht.",
    asked_only_calls: "Ihre Eintragung gilt nur für Anrufe: Abfragen, die nur SMS betrafen, stehen hier nicht.",
    asked_only_texts: "Ihre Eintragung gilt nur für SMS: Abfragen, die nur Anrufe betrafen, stehen hier nicht.",
    asked_since: "Das beginnt am {since}, mit Ihrer Eintragung. Was davor war, zeigen wir nicht: Wir verlangen von niemandem den Beweis, dass eine Nummer ihm gehört.",
    asked_none: "Hier gibt es bisher keine Abfragen.",
    asked_opening: "Jemand, der das Protokoll lesen darf, hat diese Nummer gesucht: die Aufsicht, die Betreiber dieses Registers, oder Sie selbst für Ihre Nachweise.",
    asked_plot: "Abfragen pro Tag",
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
