//! The differences of two texts, line by line, as `diff -u` shows them.

/// How many lines around a change are shown.
const CONTEXT: usize = 3;

/// One line of a comparison.
#[derive(Clone, Copy)]
enum Line<'a> {
    Same(&'a str),
    Gone(&'a str),
    New(&'a str),
}

/// The differences of two texts with the lines around them; nothing where there are none.
#[must_use]
pub fn unified(from: &str, to: &str) -> String {
    let (from, to): (Vec<&str>, Vec<&str>) = (from.lines().collect(), to.lines().collect());
    let lines = compare(&from, &to);
    let changed: Vec<usize> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| !matches!(line, Line::Same(_)))
        .map(|(at, _)| at)
        .collect();
    let mut out = String::new();
    let mut at = 0;
    while at < changed.len() {
        let mut last = at;
        while last + 1 < changed.len() && changed[last + 1] - changed[last] <= 2 * CONTEXT + 1 {
            last += 1;
        }
        let start = changed[at].saturating_sub(CONTEXT);
        let end = (changed[last] + CONTEXT + 1).min(lines.len());
        hunk(&lines, start, end, &mut out);
        at = last + 1;
    }
    out
}

fn hunk(lines: &[Line<'_>], start: usize, end: usize, out: &mut String) {
    let old = |lines: &[Line<'_>]| lines.iter().filter(|line| !matches!(line, Line::New(_))).count();
    let new = |lines: &[Line<'_>]| lines.iter().filter(|line| !matches!(line, Line::Gone(_))).count();
    let (before, shown) = (&lines[..start], &lines[start..end]);
    let range = |skipped: usize, count: usize| match count {
        0 => format!("{skipped},0"),
        1 => format!("{}", skipped + 1),
        count => format!("{},{count}", skipped + 1),
    };
    out.push_str(&format!("@@ -{} +{} @@\n", range(old(before), old(shown)), range(new(before), new(shown))));
    for line in shown {
        let (mark, text) = match line {
            Line::Same(text) => (' ', text),
            Line::Gone(text) => ('-', text),
            Line::New(text) => ('+', text),
        };
        out.push(mark);
        out.push_str(text);
        out.push('\n');
    }
}

/// Compares line by line, by the longest common subsequence. What both begin and end with is not looked at
/// again, so the table has the size of the change.
fn compare<'a>(from: &[&'a str], to: &[&'a str]) -> Vec<Line<'a>> {
    let shortest = from.len().min(to.len());
    let head = (0..shortest).take_while(|at| from[*at] == to[*at]).count();
    let tail =
        (0..shortest - head).take_while(|at| from[from.len() - 1 - at] == to[to.len() - 1 - at]).count();
    let (a, b) = (&from[head..from.len() - tail], &to[head..to.len() - tail]);
    let width = b.len() + 1;
    let mut longest = vec![0_u32; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            longest[i * width + j] = if a[i] == b[j] {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let mut lines: Vec<Line<'a>> = from[..head].iter().copied().map(Line::Same).collect();
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            lines.push(Line::Same(a[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < a.len() && (j == b.len() || longest[(i + 1) * width + j] >= longest[i * width + j + 1])
        {
            lines.push(Line::Gone(a[i]));
            i += 1;
        } else {
            lines.push(Line::New(b[j]));
            j += 1;
        }
    }
    lines.extend(from[from.len() - tail..].iter().copied().map(Line::Same));
    lines
}

#[cfg(test)]
mod tests {
    use super::unified;

    #[test]
    fn changes_are_shown_with_three_lines_around_them() {
        let check = |from: &str, to: &str, expected: &str| {
            assert_eq!(unified(&from.replace(' ', "\n"), &to.replace(' ', "\n")), expected, "{from} | {to}");
        };
        check("a b c", "a b c", "");
        check("a b c", "a x c", "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n");
        check("1 2 3 4 5", "1 2 3 4 5 6", "@@ -3,3 +3,4 @@\n 3\n 4\n 5\n+6\n");
        check("", "a b", "@@ -0,0 +1,2 @@\n+a\n+b\n");
    }
}
