//! Letters in English.

use super::LetterTexts;
use crate::web::texts::MessageText;

/// The texts in English.
pub const EN: LetterTexts = LetterTexts {
    ask_title: "Send me this by e-mail",
    ask_use: "Only if you like. We send you this proof now, and after {days} one question: is it quiet now? Then we delete your address. If you report a call before that, we also send you news of your report, for 90 days at most. We use your address for nothing else.",
    ask_use_once: "Only if you like. We send you this proof and then delete your address. We use it for nothing else.",
    ask_code: "Your code is in the letter, so choose a mailbox that only you read.",
    ask_label: "Your e-mail address",
    ask_button: "Send me the proof",
    ask_back: "Back to your code",
    address_empty: "Fill in your e-mail address, like this: name@example.org.",
    address_wrong: "This does not look like an e-mail address. Write it like this: name@example.org.",
    on_its_way: "The letter is on its way to you.",
    is_delayed: "Your letter is stored here, but it could not leave yet. It will be sent as soon as our mail works again. You do not need to do anything.",
    was_refused: "The mailbox of this address does not take the letter. Is the address right? You can fill it in once more here.",
    was_sent: "The letter was sent. Not there after a few minutes? Look among the unwanted mail, or try another address.",
    mail_full: MessageText {
        title: "We cannot take your address now",
        what: "Too many letters are waiting to be sent. That is on our side, not on yours.",
        kept: "Your registration holds. We did not store your address.",
        next: "Write your code down, or print the page with the code. You can also try again tomorrow.",
    },
    mail_enough: MessageText {
        title: "We do not send another letter",
        what: "This registration or this address has had several letters already. There is a limit, so that nobody can fill a stranger’s mailbox.",
        kept: "Your registration holds. What was sent before is not taken back.",
        next: "Look among the unwanted mail. Or write your code down, or print the page with the code.",
    },
    day_one: "1 day",
    day_many: "{n} days",

    hello: "Hello,",
    questions: "Questions? Contact us: {contact}",
    made_by: "With kind regards,\n{site}\n\n(This letter was made automatically.)",

    proof_subject: "Your proof: you said no to sales calls",
    proof_intro: "You asked us for this letter. It shows what you registered, and since when it holds.",
    proof_code: "Your code",
    proof_keep: "Please keep this letter. The code in it opens your registration. Do not pass it on.",
    proof_back: "See your registration, stop it, or tell us that someone called anyway:",
    proof_then: "In {days} we ask you once whether it is quiet now. After that we delete your e-mail address.",
    proof_once: "We now delete your e-mail address.",
    proof_stranger: "Did you not ask for this? Then someone made a mistake with their address. We are sorry. Please delete this letter.",

    quiet_subject: "Is it quiet now?",
    quiet_intro: "Some time ago you said no to sales calls. Is it quiet now?",
    quiet_yes: "Yes? We are glad. You do not need to do anything.",
    quiet_no: "No, someone called anyway? We are sorry. Tell us here, and we look at once what that company was told:",
    link_is_yours: "This link opens your registration. Do not pass it on.",
    quiet_end: "This was our last question. We now delete your e-mail address. If a report of yours is still open, we keep it until that is done, and for 90 days at most.",

    news_subject: "News about your report",
    news_answered: "The company has answered your report.",
    news_overdue: "The company did not answer your report in time.",
    news_link: "Read here what you can do now:",
    news_end: "We delete your e-mail address when your reports are done, and after 90 days at the latest.",
};
