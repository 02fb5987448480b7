//! Brieven in het Nederlands.

use super::LetterTexts;
use crate::web::texts::MessageText;

/// De teksten in het Nederlands.
pub const NL: LetterTexts = LetterTexts {
    ask_title: "Stuur mij dit per e-mail",
    ask_use: "Alleen als u dat wilt. We sturen u nu dit bewijs, en na {days} nog één vraag: is het nu rustig? Daarna wissen we uw adres. Meldt u voor die tijd een oproep? Dan sturen we u ook nieuws over uw melding, hoogstens 90 dagen lang. We gebruiken uw adres voor niets anders.",
    ask_use_once: "Alleen als u dat wilt. We sturen u dit bewijs en wissen daarna uw adres. We gebruiken het voor niets anders.",
    ask_code: "Uw code staat in de brief. Kies dus een mailbox die alleen u leest.",
    ask_label: "Uw e-mailadres",
    ask_button: "Stuur mij het bewijs",
    ask_back: "Terug naar uw code",
    address_empty: "Vul uw e-mailadres in, zoals dit: naam@example.org.",
    address_wrong: "Dit lijkt geen e-mailadres. Schrijf het zoals dit: naam@example.org.",
    on_its_way: "De brief is onderweg naar u.",
    is_delayed: "Uw brief is hier bewaard, maar hij kon nog niet vertrekken. De brief vertrekt zodra onze e-mail weer werkt. U hoeft niets te doen.",
    was_refused: "De mailserver van dit adres neemt de brief niet aan. Klopt het adres? U kunt het hier nog eens invullen.",
    was_sent: "De brief is verstuurd. Na een paar minuten nog niets gekregen? Kijk bij de ongewenste e-mail, of probeer een ander adres.",
    mail_full: MessageText {
        title: "We kunnen uw adres nu niet aannemen",
        what: "Er wachten te veel brieven. Dat ligt aan ons, niet aan u.",
        kept: "Uw inschrijving geldt. Uw adres hebben we niet bewaard.",
        next: "Schrijf uw code op, of druk de pagina met de code af. U kunt het morgen ook opnieuw proberen.",
    },
    mail_enough: MessageText {
        title: "We sturen geen brief meer",
        what: "Voor deze inschrijving of naar dit adres zijn al een paar brieven vertrokken. Er is een grens, zodat niemand de mailbox van een vreemde kan vullen.",
        kept: "Uw inschrijving geldt. Wat al verstuurd is, blijft verstuurd.",
        next: "Kijk bij de ongewenste e-mail. Of schrijf uw code op, of druk de pagina met de code af.",
    },
    day_one: "1 dag",
    day_many: "{n} dagen",

    hello: "Dag,",
    questions: "Vragen? Neem contact met ons op: {contact}",
    made_by: "Met vriendelijke groet,\n{site}\n\n(Deze brief is automatisch gemaakt.)",

    proof_subject: "Uw bewijs: u hebt nee gezegd tegen verkoopgesprekken",
    proof_intro: "U hebt ons om deze brief gevraagd. Hier staat wat u hebt ingeschreven, en sinds wanneer het geldt.",
    proof_code: "Uw code",
    proof_keep: "Bewaar deze brief goed. De code opent uw inschrijving. Geef de code aan niemand door.",
    proof_back: "Uw inschrijving bekijken of stoppen, of melden dat iemand u toch gebeld heeft:",
    proof_then: "Over {days} vragen we u één keer of het nu rustig is. Daarna wissen we uw e-mailadres.",
    proof_once: "We wissen nu uw e-mailadres.",
    proof_stranger: "Hebt u dit niet gevraagd? Dan heeft iemand zich van adres vergist. Onze excuses. U mag deze brief weggooien.",

    quiet_subject: "Is het nu rustig?",
    quiet_intro: "Een tijd geleden hebt u nee gezegd tegen verkoopgesprekken. Is het nu rustig?",
    quiet_yes: "Ja? Daar zijn we blij om. U hoeft niets te doen.",
    quiet_no: "Nee, heeft iemand u toch gebeld? Dat vinden we jammer. Meld het hier, dan kijken we meteen wat dat bedrijf te horen kreeg:",
    link_is_yours: "Deze link opent uw inschrijving. Geef hem niet door.",
    quiet_end: "Dit was onze laatste vraag. We wissen nu uw e-mailadres. Loopt er nog een melding van u? Dan bewaren we het tot die klaar is, en hoogstens 90 dagen.",

    news_subject: "Nieuws over uw melding",
    news_answered: "Het bedrijf heeft op uw melding geantwoord.",
    news_overdue: "Het bedrijf heeft niet op tijd op uw melding geantwoord.",
    news_link: "Lees hier wat u nu kunt doen:",
    news_end: "We wissen uw e-mailadres zodra uw meldingen klaar zijn, en ten laatste na 90 dagen.",
};
