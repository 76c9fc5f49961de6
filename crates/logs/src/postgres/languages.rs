//! What servers write whose `lc_messages` is not English: enough of it to count entries and errors
//! and to say by name that the rest is not understood. The words are those of PostgreSQL's own
//! translations.

use memchr::memmem;

use super::entry::{Label, Part, Severity};

/// One language: how it begins a duration, and its labels where they are not the English ones.
struct Language {
    name: &'static str,
    duration: &'static str,
    labels: &'static [(&'static str, Label)],
}

const LOG: Label = Label::Entry(Severity::Log);
const WARNING: Label = Label::Entry(Severity::Warning);
const ERROR: Label = Label::Entry(Severity::Error);
const FATAL: Label = Label::Entry(Severity::Fatal);
const PANIC: Label = Label::Entry(Severity::Panic);
const CHATTER: Label = Label::Entry(Severity::Chatter);
const DETAIL: Label = Label::Part(Part::Detail);
const HINT: Label = Label::Part(Part::Hint);
const CONTEXT: Label = Label::Part(Part::Context);
const STATEMENT: Label = Label::Part(Part::Statement);
const OTHER: Label = Label::Part(Part::Other);

#[rustfmt::skip]
const LANGUAGES: [Language; 12] = [
    Language { name: "German", duration: "Dauer: ", labels: &[
        ("FEHLER", ERROR), ("WARNUNG", WARNING), ("PANIK", PANIC), ("HINWEIS", CHATTER), ("TIPP", HINT),
        ("ZUSAMMENHANG", CONTEXT), ("ANWEISUNG", STATEMENT), ("ANFRAGE", OTHER)] },
    Language { name: "Spanish", duration: "duración: ", labels: &[
        ("DETALLE", DETAIL), ("CONTEXTO", CONTEXT), ("SENTENCIA", STATEMENT), ("CONSULTA", OTHER)] },
    Language { name: "French", duration: "durée : ", labels: &[
        ("ERREUR", ERROR), ("ATTENTION", WARNING), ("DÉTAIL", DETAIL), ("ASTUCE", HINT), ("CONTEXTE", CONTEXT),
        ("INSTRUCTION", STATEMENT), ("REQUÊTE", OTHER), ("PILE D'APPEL", OTHER)] },
    Language { name: "Italian", duration: "durata: ", labels: &[
        ("ERRORE", ERROR), ("FATALE", FATAL), ("ATTENZIONE", WARNING), ("PANICO", PANIC), ("NOTIFICA", CHATTER),
        ("DETTAGLI", DETAIL), ("SUGGERIMENTO", HINT), ("CONTESTO", CONTEXT), ("ISTRUZIONE", STATEMENT)] },
    Language { name: "Portuguese", duration: "duração: ", labels: &[
        ("ERRO", ERROR), ("AVISO", WARNING), ("PÂNICO", PANIC), ("NOTA", CHATTER), ("DETALHE", DETAIL),
        ("DICA", HINT), ("COMANDO", STATEMENT), ("CONSULTA", OTHER)] },
    Language { name: "Japanese", duration: "期間: ", labels: &[
        ("詳細", DETAIL), ("ヒント", HINT), ("文脈", CONTEXT), ("文", STATEMENT), ("問い合わせ", OTHER)] },
    Language { name: "Georgian", duration: "ხანგრძლივობა: ", labels: &[
        ("ჟურნალი", LOG), ("შეცდომა", ERROR), ("ფატალური", FATAL), ("გაფრთხილება", WARNING), ("პანიკა", PANIC),
        ("ინფორმაცია", CHATTER), ("გამართვა", CHATTER), ("დეტალები", DETAIL), ("მინიშნება", HINT),
        ("კონტექსტი", CONTEXT), ("ოპერატორი", STATEMENT), ("მოთხოვნა", OTHER)] },
    Language { name: "Korean", duration: "실행시간: ", labels: &[
        ("로그", LOG), ("오류", ERROR), ("치명적오류", FATAL), ("경고", WARNING), ("손상", PANIC), ("알림", CHATTER),
        ("정보", CHATTER), ("디버그", CHATTER), ("상세정보", DETAIL), ("힌트", HINT), ("내용", CONTEXT),
        ("명령 구문", STATEMENT), ("쿼리", OTHER)] },
    Language { name: "Russian", duration: "продолжительность: ", labels: &[
        ("СООБЩЕНИЕ", LOG), ("ОШИБКА", ERROR), ("ВАЖНО", FATAL), ("ПРЕДУПРЕЖДЕНИЕ", WARNING), ("ПАНИКА", PANIC),
        ("ЗАМЕЧАНИЕ", CHATTER), ("ИНФОРМАЦИЯ", CHATTER), ("ОТЛАДКА", CHATTER), ("ПОДРОБНОСТИ", DETAIL),
        ("ПОДСКАЗКА", HINT), ("КОНТЕКСТ", CONTEXT), ("ОПЕРАТОР", STATEMENT), ("ЗАПРОС", OTHER)] },
    Language { name: "Swedish", duration: "varaktighet", labels: &[
        ("LOGG", LOG), ("FEL", ERROR), ("FATALT", FATAL), ("VARNING", WARNING), ("PANIK", PANIC), ("NOTIS", CHATTER),
        ("DETALJ", DETAIL), ("TIPS", HINT), ("KONTEXT", CONTEXT), ("SATS", STATEMENT), ("FRÅGA", OTHER)] },
    Language { name: "Ukrainian", duration: "тривалість: ", labels: &[
        ("ЗАПИСУВАННЯ", LOG), ("ПОМИЛКА", ERROR), ("ФАТАЛЬНО", FATAL), ("ПОПЕРЕДЖЕННЯ", WARNING), ("ПАНІКА", PANIC),
        ("ПОВІДОМЛЕННЯ", CHATTER), ("ІНФОРМАЦІЯ", CHATTER), ("НАЛАГОДЖЕННЯ", CHATTER), ("ВІДОМОСТІ", DETAIL),
        ("УКАЗІВКА", HINT), ("КОНТЕКСТ", CONTEXT), ("ІНСТРУКЦІЯ", STATEMENT), ("ЗАПИТ", OTHER)] },
    Language { name: "Chinese", duration: "执行时间: ", labels: &[
        ("日志", LOG), ("错误", ERROR), ("致命错误", FATAL), ("警告", WARNING), ("比致命错误还过分的错误", PANIC),
        ("注意", CHATTER), ("信息", CHATTER), ("调试", CHATTER), ("详细信息", DETAIL), ("提示", HINT),
        ("上下文", CONTEXT), ("语句", STATEMENT), ("查询", OTHER)] },
];

/// Another language's label at the beginning of `text`, and its length with colon and blanks.
pub(super) fn label(text: &[u8]) -> Option<(Label, usize)> {
    // Most texts that are no label are names in small letters.
    if !text.first().is_some_and(|first| first.is_ascii_uppercase() || *first >= 0x80) {
        return None;
    }
    LANGUAGES.iter().flat_map(|language| language.labels).find_map(|(name, label)| {
        let rest = text.strip_prefix(name.as_bytes())?;
        let colon = usize::from(rest.first() == Some(&b' '));
        let blanks = rest.get(colon..)?.strip_prefix(b":")?;
        let blanks = blanks.iter().take(2).take_while(|byte| **byte == b' ').count();
        (blanks > 0).then_some((*label, name.len() + colon + 1 + blanks))
    })
}

/// The severity another language calls so.
pub(super) fn severity(name: &[u8]) -> Option<Severity> {
    LANGUAGES.iter().flat_map(|language| language.labels).find_map(|(known, label)| match label {
        Label::Entry(severity) if known.as_bytes() == name => Some(*severity),
        _ => None,
    })
}

/// The language of a log's messages, where it is not English.
pub(super) fn language(head: &[u8]) -> Option<&'static str> {
    let count = |mark: &str| memmem::find_iter(head, mark.as_bytes()).count();
    // Where messages begin: behind a label, in a column, in a field.
    let begins = |word: &str| -> usize {
        ["  ", "\"", ","].iter().map(|before| count(&format!("{before}{word}"))).sum()
    };
    let label = |name: &str| -> usize {
        [" ", ":", "\n"].iter().map(|before| count(&format!("{before}{name}:  "))).sum()
    };
    let marks = |language: &Language| {
        let labels = language.labels.iter().filter(|(_, label)| {
            matches!(label, Label::Entry(_)) || *label == STATEMENT || *label == DETAIL
        });
        begins(language.duration) + labels.map(|(name, _)| label(name)).sum::<usize>()
    };
    let (found, most) =
        LANGUAGES.iter().map(|language| (language, marks(language))).max_by_key(|found| found.1)?;
    // A statement of an English log may hold such words, too.
    let english = begins("duration: ") + count("ERROR:  ") + count("STATEMENT:  ");
    (most > 0 && most * 2 >= english).then_some(found.name)
}
