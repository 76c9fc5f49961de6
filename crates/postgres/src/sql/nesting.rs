use pg_query::protobuf::{ScanToken, Token};

/// An upper bound for the depth of the tree that `tokens` parse to.
///
/// Lists are flat, so a comma ends what was open in its parentheses; operators and keywords may
/// each add a level (`1 + 1 + 1 …` leans to the left as deep as it is long).
pub(super) fn bound(tokens: &[ScanToken]) -> usize {
    let mut open = vec![0usize];
    let mut sum = 0usize;
    let mut deepest = 0usize;
    for token in tokens {
        match Token::try_from(token.token) {
            Ok(Token::Ascii40 | Token::Ascii91) => {
                open.push(1);
                sum += 1;
            }
            Ok(Token::Ascii41 | Token::Ascii93) => {
                if open.len() > 1 {
                    sum -= open.pop().unwrap_or(0);
                }
            }
            Ok(Token::Ascii44) => {
                if let Some(level) = open.last_mut() {
                    let start = usize::from(*level > 0);
                    sum -= *level - start;
                    *level = start;
                }
            }
            Ok(
                Token::Iconst
                | Token::Fconst
                | Token::Sconst
                | Token::Ident
                | Token::SqlComment
                | Token::CComment
                | Token::And
                | Token::Or,
            ) => {}
            _ => {
                if let Some(level) = open.last_mut() {
                    *level += 1;
                    sum += 1;
                }
            }
        }
        deepest = deepest.max(sum);
    }
    deepest
}
