//! English.

use super::OwnTexts;

/// The texts about one’s own registration.
pub const EN: OwnTexts = OwnTexts {
    news_title: "That is done",
    news_now: "Whoever asks this register from now on gets the new answer at once.",
    history_title: "What happened, and when",
    event_made: "You opted out.",
    event_number_added: "A number was added.",
    event_number_removed: "A number was taken out.",
    event_company_added: "{company} was added.",
    event_company_removed: "{company} was taken out.",
    event_withdrawn: "The registration was stopped.",
    event_taken_up: "The registration holds again. It did not hold between the stop and this moment.",

    change_title: "Change something",
    change_lede: "Every change holds at once. Your code stays the same.",
    numbers_title: "Take a number out",
    remove_number: "Take {number} out",
    last_number: "This is the last number. If you take it out, the whole registration stops.",
    add_number_label: "One more number",
    add_number_button: "Add this number",
    full: "There is room for {n} numbers under one code, and all of it is taken. For more numbers you can opt out once more. This registration stays as it is.",
    full_of_companies: "There is room for {n} companies under one code, and all of it is taken. To be left in peace by every company, opt out once more and choose “All companies”. This registration stays as it is.",
    companies_title: "Take a company out",
    remove_company: "Take {company} out",
    last_company: "This is the last company. If you take it out, the whole registration stops.",
    add_company_label: "One more company",
    add_company_button: "Add this company",
    error_company: "Choose a company from the list.",

    withdraw_undo: "After that, you can undo it with your code for {hours}.",
    undo_title: "Changed your mind?",
    undo_text: "Until {until} you can make this registration hold again, with the same code. It then holds from that moment on. In between it did not.",
    undo_button: "Make it hold again",
    error_too_late: "The stop is too long ago to be undone. The registration stays stopped. You can opt out again at any time, and that holds at once.",

    can_title: "What you can do",
    can_asked: "Who asked about my number?",
    can_report: "They called me anyway",
    can_reports: "My reports",
    can_code: "Show or print my code again",

    proof_title: "A proof to keep",
    proof_text: "This small file says which numbers you opted out, for which companies and since when. It carries our digital signature: anyone can check that it comes from us. Your code is not in it.",
    proof_button: "Download the proof",
    proof_print: "Or print this page. Your browser’s print window can often save it as a PDF too.",
    scan_title: "Come back with your phone",
    scan_text: "Point your phone’s camera at this square. It leads to your registration, with your code filled in. Whoever has this square has your code: keep it just as well.",
    scan_label: "QR code with the way back to your registration",
    spell_title: "Spell the code on the telephone",
    dash: "dash",
    digits: [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    ],
    letters: [
        "Alfa", "Bravo", "Charlie", "Delta", "Echo", "Foxtrot", "Golf", "Hotel", "Juliett", "Kilo",
        "Mike", "November", "Papa", "Quebec", "Romeo", "Sierra", "Tango", "Victor", "Whiskey",
        "X-ray", "Yankee", "Zulu",
    ],
};
