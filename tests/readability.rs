//! What a list says reads easily: the grade of its paragraphs, and words that it must not use.
//!
//! # References
//! - J. P. Kincaid, R. P. Fishburne, R. L. Rogers, B. S. Chissom, *Derivation of new readability formulas for Navy enlisted
//!   personnel* (1975): the grade is `0.39 words / sentences + 11.8 syllables / words - 15.59`.

use earlyhelp::calendar::AsOf;
use earlyhelp::evaluate::Capacity;
use earlyhelp::model::Trainer;
use earlyhelp::project::Project;
use earlyhelp::report::list_html;
use earlyhelp::review::ReviewList;
use earlyhelp::scoring::{Contribution, Request, SignOff, Without, WithoutRecord};
use earlyhelp::synthetic::{CouncilParams, Format};

/// Groups of vowels; a silent e at the end is none. A number is read as one word of one syllable.
fn syllables(word: &str) -> usize {
    let word = word.to_ascii_lowercase();
    let letters: Vec<char> = word.chars().filter(char::is_ascii_alphabetic).collect();
    let is_vowel = |c: &char| "aeiouy".contains(*c);
    let mut groups = 0;
    let mut before = false;
    for c in &letters {
        groups += usize::from(is_vowel(c) && !before);
        before = is_vowel(c);
    }
    let ends_silent = letters.last() == Some(&'e') && !word.ends_with("le") && groups > 1;
    (groups - usize::from(ends_silent)).max(1)
}

fn grade(text: &str) -> f64 {
    let sentences = text.split(['.', '!', '?']).filter(|part| part.chars().any(char::is_alphabetic)).count();
    let words: Vec<&str> =
        text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).collect();
    let syllables: usize = words.iter().map(|word| syllables(word)).sum();
    0.39 * words.len() as f64 / sentences as f64 + 11.8 * syllables as f64 / words.len() as f64 - 15.59
}

#[test]
fn the_grade_is_that_of_the_formula() {
    // 6 words, 6 syllables, 1 sentence.
    assert!((grade("The cat sat on the mat.") - (0.39 * 6.0 + 11.8 - 15.59)).abs() < 1e-12);
    // The paper's kind of prose: long words in long sentences.
    let hard = "Organisational considerations notwithstanding, departmental responsibilities necessitate interdisciplinary \
                collaboration.";
    assert!(grade(hard) > 20.0);
    assert_eq!(
        ["the", "people", "notice", "school", "referred", "family"].map(syllables),
        [1, 2, 2, 1, 3, 3]
    );
}

#[test]
fn reasons_read_easily_and_say_nothing_that_they_must_not() {
    let folder = tempfile::tempdir().unwrap();
    let council = CouncilParams::new(4_000, 7).generate().unwrap();
    let mut project = Project::load(council.write(folder.path(), Format::Csv).unwrap()).unwrap();
    project.training.resamples = 39;
    let (records, protected) = (project.records().unwrap(), project.protected().unwrap());
    let model = project.train(&records, &protected, &Trainer::by_name("additive").unwrap()).unwrap();
    let on = council.extract_date();
    let scorer = model
        .release(SignOff {
            by: "A. Manager".into(),
            role: "Head of Early Help".into(),
            purpose: project.purpose.clone(),
            signed_on: on,
            review_by: on.plus_months(12),
        })
        .unwrap();
    let cohort = project.cohort(&records, AsOf::new(on)).unwrap();
    let request = Request::new("B. Lead", &project.purpose, on);
    let scores = scorer.score(&cohort, &request).unwrap().known_to(&project.known_to).unwrap();
    let list = ReviewList::draw(&scores, Capacity::Cases(40)).unwrap();
    let columns: Vec<&str> =
        scorer.candidate().features().features().iter().map(|feature| feature.name.as_str()).collect();
    let mut told = 0;
    for entry in list.entries() {
        let reasons: Vec<String> = entry.case().contributions().iter().map(Contribution::paragraph).collect();
        let counter = entry.counter_evidence();
        let more = counter.records.iter().map(WithoutRecord::words);
        let more: Vec<String> = more.chain(counter.help_seeking.iter().map(Without::words)).collect();
        let paragraph = reasons.join(" ");
        assert!(grade(&paragraph) <= 8.0, "{:.1}: {paragraph}", grade(&paragraph));
        for text in reasons.iter().chain(&more) {
            let words: Vec<&str> =
                text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '\'')).collect();
            assert!(!words.contains(&"will"), "{text}");
            assert!(words.iter().all(|word| !word.contains('_') && !columns.contains(word)), "{text}");
            // "1 records": a number of one before a word in the plural.
            for pair in words.windows(2).filter(|pair| pair[0] == "1") {
                let plural = pair[1].ends_with('s') && !["is", "was", "has", "as", "this"].contains(&pair[1]);
                assert!(!plural, "{text}");
            }
            assert!(!text.contains("NaN") && !text.contains("inf "), "{text}");
            told += 1;
        }
    }
    assert!(told > 200);
    let page = list_html(&list, "Early help").unwrap();
    let body = page.split("<main>").nth(1).unwrap().split("<footer class=\"audit\">").next().unwrap();
    assert!(!body.contains(" 1 records") && !body.contains(" 1 cases"));
}
