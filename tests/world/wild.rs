//! Wild worlds: everything that rows can do, around one date.

use earlyhelp::calendar::{AsOf, Lookback};
use earlyhelp::features::{Feature, FeatureSpec, Measure};
use earlyhelp::records::{Coverage, Role, Selector, SourceMapping};

use super::{Dice, PLACES, Person, Row, Source, Spell, World, as_of, kinds_of, mappings};

/// The date around which [`wild`] worlds happen.
pub fn wild_date() -> AsOf {
    as_of("2024-03-31")
}

/// Days at which something may turn: the date itself, and both sides of the edges of [`WINDOWS`].
fn wild_day(dice: &mut Dice) -> i32 {
    let today = wild_date().day().epoch_days();
    if dice.chance(0.5) {
        let window = *dice.pick(&WINDOWS[..WINDOWS.len() - 1]);
        let edge = match dice.below(3) {
            0 => wild_date().day(),
            1 => window.start(wild_date()),
            _ => window.start_of_previous(wild_date()).unwrap(),
        };
        edge.epoch_days() + dice.between(-1, 1)
    } else {
        today + dice.between(-400, 60)
    }
}

/// Look-backs whose edges fall on odd days of the month.
pub const WINDOWS: [Lookback; 6] = [
    Lookback::Days(1),
    Lookback::Days(30),
    Lookback::Months(1),
    Lookback::Days(90),
    Lookback::Months(6),
    Lookback::Ever,
];

fn wild_coverage(dice: &mut Dice, source: &str) -> Coverage {
    let today = wild_date().day();
    let from = dice.chance(0.5).then(|| today - dice.between(-5, 500));
    let to = dice.chance(0.3).then(|| today + dice.between(-40, -30));
    Coverage {
        from,
        // A source that ends before it begins is refused.
        to: to.filter(|&to| from.is_none_or(|from| from <= to)),
        updated: None,
        stale_after_days: dice.chance(0.3).then(|| dice.between(30, 38) as u32),
        ages: dice.chance(0.4).then(|| (dice.between(0, 8) as u8, dice.between(9, 40) as u8)),
        roster: (source != "roll" && dice.chance(0.3)).then(|| "roll".to_owned()),
    }
}

/// A row of a source that may say anything a row may say.
pub fn wild_row(dice: &mut Dice, mapping: &SourceMapping, people: usize, reference: String) -> Row {
    let occurred = wild_day(dice);
    let episodes = mapping.columns.ended.is_some();
    let ended = (episodes && dice.chance(0.6)).then(|| occurred + dice.between(0, 200));
    let mut value = dice.chance(0.8).then(|| f64::from(dice.between(-8, 40)) / 4.0);
    let mut of = None;
    if mapping.columns.of.is_some() {
        // Now and then of nothing.
        value = value.map(f64::abs);
        let least = value.unwrap_or(0.0);
        of = dice.chance(0.8).then(|| least + f64::from(dice.between(0, 12)) / 4.0);
    }
    Row {
        person: format!("p{:02}", dice.below(people)),
        kind: (*dice.pick(kinds_of(&mapping.name))).to_owned(),
        occurred,
        // Mostly known later, now and then on record ahead of time.
        known: occurred + if dice.chance(0.1) { -dice.between(0, 40) } else { dice.between(0, 45) },
        ended,
        ended_known: ended.filter(|_| dice.chance(0.7)).map(|day| day + dice.between(-20, 30)),
        role: dice.chance(0.7).then(|| *dice.pick(&Role::ALL)),
        value,
        of,
        place: dice.chance(0.8).then(|| (*dice.pick(&PLACES)).to_owned()),
        reference,
    }
}

/// A world of few people and many odd rows.
pub fn wild(seed: u64, people: usize, rows: usize) -> World {
    let mut dice = Dice::new(seed);
    let today = wild_date().day().epoch_days();
    let household_lag = dice.between(0, 20);
    let mut world =
        World { people: Vec::new(), spells: Vec::new(), household_lag, sources: vec![], sex: vec![] };
    for person in 0..people {
        let id = format!("p{person:02}");
        let born = dice.chance(0.85).then(|| today - dice.between(0, 45 * 365));
        for _ in 0..dice.below(3) {
            let start = dice.chance(0.8).then(|| wild_day(&mut dice));
            let since = start.unwrap_or(today - 1000);
            let end = dice.chance(0.4).then(|| since + dice.between(0, 300));
            let household = format!("h{}", dice.below(people.div_ceil(2)));
            world.spells.push(Spell { person: id.clone(), household, start, end });
        }
        world.people.push(Person { id, born });
    }
    for mut mapping in mappings() {
        mapping.coverage = wild_coverage(&mut dice, &mapping.name);
        if mapping.name == "housing" {
            mapping.columns.of = Some("of".into());
        }
        let rows = (0..rows)
            .map(|row| wild_row(&mut dice, &mapping, people, format!("{}-{row}", mapping.name)))
            .collect();
        world.sources.push(Source { mapping, rows });
    }
    world
}

/// Records of a source, chosen by anything that they can be chosen by.
pub fn wild_selector(dice: &mut Dice, mapping: &SourceMapping) -> Selector {
    let mut selector = Selector::source(&mapping.name);
    for kind in kinds_of(&mapping.name) {
        if dice.chance(0.25) {
            selector = selector.kind(*kind);
        }
    }
    if dice.chance(0.1) {
        selector = selector.kind("a kind that is not there");
    }
    if dice.chance(0.3) {
        selector = selector.role(*dice.pick(&Role::ALL));
    }
    if !mapping.columns.categories.is_empty() && dice.chance(0.3) {
        selector = selector.category("place", *dice.pick(&PLACES)).category("place", *dice.pick(&PLACES));
    }
    selector
}

/// Features of every measure that the world's sources can say, over random records, windows and scopes.
pub fn wild_features(dice: &mut Dice, world: &World, families: bool) -> FeatureSpec {
    let (youngest, oldest) = (dice.between(0, 20) as u8, dice.between(20, 60) as u8);
    let mut features =
        vec![Feature::age(), Feature::members(youngest, oldest), Feature::moves(*dice.pick(&WINDOWS))];
    for source in &world.sources {
        let columns = &source.mapping.columns;
        let mut measures = vec![
            Measure::Count,
            Measure::Any,
            Measure::DistinctKinds,
            Measure::DistinctDays,
            Measure::DaysSinceLast,
            Measure::DaysSinceFirst,
            Measure::Change,
        ];
        if columns.value.is_some() {
            measures.extend([Measure::Sum, Measure::Mean, Measure::Max, Measure::Latest]);
            measures.extend([Measure::Min, Measure::Slope]);
        }
        if columns.of.is_some() {
            measures.extend([Measure::Share, Measure::Share, Measure::Share]);
        }
        if columns.ended.is_some() {
            measures.extend([Measure::DaysOpen, Measure::PresentNow]);
        }
        for category in columns.categories.iter().cloned() {
            let value = (*dice.pick(&PLACES)).to_owned();
            measures.push(Measure::Distinct(category.clone()));
            measures.push(Measure::DaysSinceChange(category.clone()));
            // Some of the places, in any order.
            let mut codes: Vec<String> = PLACES.map(str::to_owned).to_vec();
            dice.shuffle(&mut codes);
            codes.truncate(3);
            measures.push(Measure::LatestOf { category: category.clone(), codes });
            measures.push(Measure::LatestIs { category, value });
        }
        // Two selectors a source, so that features share the pass over one group of records.
        let selectors = [wild_selector(dice, &source.mapping), wild_selector(dice, &source.mapping)];
        for measure in measures {
            let windows = WINDOWS.len() - usize::from(measure == Measure::Change);
            let over = *dice.pick(&WINDOWS[..windows]);
            let mut feature = Feature::new(dice.pick(&selectors).clone(), measure, over);
            if !families && dice.chance(0.4) {
                feature = feature.of_household();
            }
            let name = format!("f{}", features.len());
            features.push(feature.name(name));
        }
    }
    FeatureSpec::new(features).unwrap()
}
