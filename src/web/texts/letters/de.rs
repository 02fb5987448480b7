//! Briefe auf Deutsch.

use super::LetterTexts;
use crate::web::texts::MessageText;

/// Die Texte auf Deutsch.
pub const DE: LetterTexts = LetterTexts {
    ask_title: "Per E-Mail zuschicken",
    ask_use: "Nur wenn Sie möchten. Wir schicken Ihnen jetzt diesen Nachweis, und nach {days} eine Frage: Ist jetzt Ruhe? Danach löschen wir Ihre Adresse. Melden Sie uns vorher einen Anruf? Dann schicken wir Ihnen auch Neues zu Ihrer Meldung, höchstens 90 Tage lang. Wir nutzen Ihre Adresse für nichts anderes.",
    ask_use_once: "Nur wenn Sie möchten. Wir schicken Ihnen diesen Nachweis und löschen dann Ihre Adresse. Wir nutzen sie für nichts anderes.",
    ask_code: "Ihr Code steht in der E-Mail. Wählen Sie also ein Postfach, das nur Sie lesen.",
    ask_label: "Ihre E-Mail-Adresse",
    ask_button: "Nachweis zuschicken",
    ask_back: "Zurück zu Ihrem Code",
    address_empty: "Tragen Sie bitte Ihre E-Mail-Adresse ein, zum Beispiel so: name@example.org.",
    address_wrong: "Das sieht nicht wie eine E-Mail-Adresse aus. Schreiben Sie sie bitte so: name@example.org.",
    on_its_way: "Die E-Mail ist auf dem Weg zu Ihnen.",
    is_delayed: "Ihre E-Mail ist hier gespeichert, konnte aber noch nicht hinaus. Sie wird verschickt, sobald unser Versand wieder geht. Sie müssen nichts tun.",
    was_refused: "Der Mailserver dieser Adresse nimmt die E-Mail nicht an. Stimmt die Adresse? Sie können sie hier noch einmal eintragen.",
    was_sent: "Die E-Mail ist verschickt. Nach ein paar Minuten noch nicht da? Sehen Sie bitte im Ordner für unerwünschte E-Mails nach, oder versuchen Sie eine andere Adresse.",
    mail_full: MessageText {
        title: "Wir können Ihre Adresse gerade nicht annehmen",
        what: "Es warten zu viele E-Mails. Das liegt an uns, nicht an Ihnen.",
        kept: "Ihre Eintragung gilt. Ihre Adresse haben wir nicht gespeichert.",
        next: "Schreiben Sie sich Ihren Code auf, oder drucken Sie die Seite mit dem Code aus. Sie können es auch morgen noch einmal versuchen.",
    },
    mail_enough: MessageText {
        title: "Wir schicken keine weitere E-Mail",
        what: "Zu dieser Eintragung oder an diese Adresse gingen schon mehrere E-Mails. Es gibt eine Grenze, damit niemand ein fremdes Postfach füllen kann.",
        kept: "Ihre Eintragung gilt. Was verschickt ist, bleibt verschickt.",
        next: "Sehen Sie bitte im Ordner für unerwünschte E-Mails nach. Oder schreiben Sie sich Ihren Code auf, oder drucken Sie die Seite mit dem Code aus.",
    },
    day_one: "1 Tag",
    day_many: "{n} Tagen",

    hello: "Guten Tag,",
    questions: "Fragen? So erreichen Sie uns: {contact}",
    made_by: "Mit freundlichen Grüßen\n{site}\n\n(Diese E-Mail wurde automatisch erstellt.)",

    proof_subject: "Ihr Nachweis: Sie haben Nein zu Werbeanrufen gesagt",
    proof_intro: "Sie haben uns um diese E-Mail gebeten. Hier steht, was Sie eingetragen haben, und seit wann es gilt.",
    proof_code: "Ihr Code",
    proof_keep: "Bewahren Sie diese E-Mail bitte gut auf. Der Code öffnet Ihre Eintragung. Geben Sie ihn nicht weiter.",
    proof_back: "Ihre Eintragung ansehen oder beenden, oder uns sagen, dass doch jemand angerufen hat:",
    proof_then: "In {days} fragen wir Sie einmal, ob jetzt Ruhe ist. Danach löschen wir Ihre E-Mail-Adresse.",
    proof_once: "Wir löschen jetzt Ihre E-Mail-Adresse.",
    proof_stranger: "Haben Sie nicht darum gebeten? Dann hat sich jemand bei der Adresse vertan. Das tut uns leid. Löschen Sie diese E-Mail bitte.",

    quiet_subject: "Ist jetzt Ruhe?",
    quiet_intro: "Vor einiger Zeit haben Sie Nein zu Werbeanrufen gesagt. Ist jetzt Ruhe?",
    quiet_yes: "Ja? Das freut uns. Sie müssen nichts tun.",
    quiet_no: "Nein, es hat doch jemand angerufen? Das tut uns leid. Sagen Sie es uns hier. Wir sehen sofort nach, was dieser Firma gesagt wurde:",
    link_is_yours: "Dieser Link öffnet Ihre Eintragung. Geben Sie ihn nicht weiter.",
    quiet_end: "Das war unsere letzte Frage. Wir löschen jetzt Ihre E-Mail-Adresse. Ist noch eine Meldung von Ihnen offen? Dann behalten wir sie, bis diese erledigt ist, und höchstens 90 Tage.",

    news_subject: "Neues zu Ihrer Meldung",
    news_answered: "Die Firma hat auf Ihre Meldung geantwortet.",
    news_overdue: "Die Firma hat nicht rechtzeitig auf Ihre Meldung geantwortet.",
    news_link: "Lesen Sie hier, was Sie jetzt tun können:",
    news_end: "Wir löschen Ihre E-Mail-Adresse, sobald Ihre Meldungen erledigt sind, und spätestens nach 90 Tagen.",
};
