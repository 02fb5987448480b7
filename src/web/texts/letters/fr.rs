//! Lettres en français.

use super::LetterTexts;
use crate::web::texts::MessageText;

/// Les textes en français.
pub const FR: LetterTexts = LetterTexts {
    ask_title: "Recevoir ceci par e-mail",
    ask_use: "Seulement si vous le souhaitez. Nous vous envoyons cette preuve maintenant et, après {days}, une seule question\u{a0}: est-ce calme à présent\u{a0}? Ensuite, nous effaçons votre adresse. Si vous signalez un appel avant cela, nous vous envoyons aussi des nouvelles de votre signalement, pendant 90 jours au plus. Votre adresse ne sert à rien d’autre.",
    ask_use_once: "Seulement si vous le souhaitez. Nous vous envoyons cette preuve, puis nous effaçons votre adresse. Elle ne sert à rien d’autre.",
    ask_code: "Votre code se trouve dans la lettre. Choisissez donc une boîte que vous êtes seul à lire.",
    ask_label: "Votre adresse e-mail",
    ask_button: "M’envoyer la preuve",
    ask_back: "Retour à votre code",
    address_empty: "Indiquez votre adresse e-mail, par exemple\u{a0}: nom@example.org.",
    address_wrong: "Ceci ne ressemble pas à une adresse e-mail. Écrivez-la comme ceci\u{a0}: nom@example.org.",
    on_its_way: "La lettre est en route vers vous.",
    is_delayed: "Votre lettre est gardée ici, mais elle n’a pas encore pu partir. Elle partira dès que notre courrier fonctionnera de nouveau. Vous n’avez rien à faire.",
    was_refused: "La boîte de cette adresse n’accepte pas la lettre. L’adresse est-elle juste\u{a0}? Vous pouvez l’indiquer encore une fois ici.",
    was_sent: "La lettre est partie. Toujours rien après quelques minutes\u{a0}? Regardez dans le courrier indésirable, ou essayez une autre adresse.",
    mail_full: MessageText {
        title: "Nous ne pouvons pas prendre votre adresse maintenant",
        what: "Trop de lettres attendent de partir. Cela vient de nous, pas de vous.",
        kept: "Votre inscription est valable. Nous n’avons pas gardé votre adresse.",
        next: "Notez votre code, ou imprimez la page avec le code. Vous pouvez aussi réessayer demain.",
    },
    mail_enough: MessageText {
        title: "Nous n’envoyons plus de lettre",
        what: "Plusieurs lettres sont déjà parties pour cette inscription ou vers cette adresse. Il y a une limite, pour que personne ne remplisse la boîte d’un inconnu.",
        kept: "Votre inscription est valable. Ce qui est parti reste parti.",
        next: "Regardez dans le courrier indésirable. Ou notez votre code, ou imprimez la page avec le code.",
    },
    day_one: "1 jour",
    day_many: "{n} jours",

    hello: "Bonjour,",
    questions: "Des questions\u{a0}? Contactez-nous\u{a0}: {contact}",
    made_by: "Bien à vous,\n{site}\n\n(Cette lettre a été faite automatiquement.)",

    proof_subject: "Votre preuve\u{a0}: vous avez dit non au démarchage",
    proof_intro: "Vous nous avez demandé cette lettre. Elle dit ce que vous avez inscrit, et depuis quand c’est valable.",
    proof_code: "Votre code",
    proof_keep: "Gardez bien cette lettre. Le code ouvre votre inscription. Ne le donnez à personne.",
    proof_back: "Pour voir votre inscription, l’arrêter, ou nous dire que quelqu’un vous a quand même appelé\u{a0}:",
    proof_then: "Dans {days}, nous vous demanderons une seule fois si c’est calme à présent. Ensuite, nous effacerons votre adresse e-mail.",
    proof_once: "Nous effaçons maintenant votre adresse e-mail.",
    proof_stranger: "Vous n’avez pas demandé cette lettre\u{a0}? Alors quelqu’un s’est trompé d’adresse. Toutes nos excuses. Vous pouvez la jeter.",

    quiet_subject: "Est-ce calme à présent\u{a0}?",
    quiet_intro: "Il y a quelque temps, vous avez dit non au démarchage téléphonique. Est-ce calme à présent\u{a0}?",
    quiet_yes: "Oui\u{a0}? Nous en sommes heureux. Vous n’avez rien à faire.",
    quiet_no: "Non, quelqu’un vous a quand même appelé\u{a0}? Nous en sommes désolés. Dites-le-nous ici, et nous regardons tout de suite ce que cette entreprise a reçu comme réponse\u{a0}:",
    link_is_yours: "Ce lien ouvre votre inscription. Ne le donnez à personne.",
    quiet_end: "C’était notre dernière question. Nous effaçons maintenant votre adresse e-mail. Un de vos signalements est encore ouvert\u{a0}? Alors nous la gardons jusqu’à ce qu’il soit clos, et 90 jours au plus.",

    news_subject: "Du nouveau sur votre signalement",
    news_answered: "L’entreprise a répondu à votre signalement.",
    news_overdue: "L’entreprise n’a pas répondu à temps à votre signalement.",
    news_link: "Lisez ici ce que vous pouvez faire maintenant\u{a0}:",
    news_end: "Nous effaçons votre adresse e-mail dès que vos signalements sont clos, et au plus tard après 90 jours.",
};
