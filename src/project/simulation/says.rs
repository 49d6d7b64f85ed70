//! How far to trust a simulation, in sentences.

use super::found::{DateOutcomes, MeasuredOn, SimulatedDate, Simulation};
use crate::evaluate::Capacity;
use crate::words;

/// How long a list is.
fn length(capacity: Capacity) -> String {
    match capacity {
        Capacity::Cases(places) => words::counted(places as usize, "place", "places"),
        Capacity::Share(share) => format!("{} of the cases of their dates", words::percent(share)),
    }
}

/// Every sentence, the weightiest first.
pub(super) fn all(simulation: &Simulation) -> Vec<String> {
    let lists = |of: &dyn Fn(&SimulatedDate) -> bool| {
        simulation.dates.iter().filter(|date| date.no_list.is_none() && of(date)).count()
    };
    let is_known = |date: &SimulatedDate| date.outcomes == Some(DateOutcomes::Known);
    let drawn = lists(&|_| true);
    let in_training = lists(&|date| date.in_training);
    let mut says = of_training(simulation, in_training, drawn);
    let trained = simulation.capacities.first().and_then(|held| held.model.families_trained_on);
    if let (Some(share), MeasuredOn::AfterTraining) = (trained, simulation.measured_on) {
        says.push(format!(
            "{} of the places that figures rest on went to families of whom the model had learnt at earlier dates. The backtest \
             keeps families apart, so its figures are the more careful ones.",
            words::capitalised(&words::percent(share))
        ));
    }
    let open = lists(&|date| matches!(date.outcomes, Some(DateOutcomes::Open { .. })));
    if open > 0 && simulation.measured_on != MeasuredOn::Nothing {
        says.push(format!(
            "{} open: the {} that the outcome is looked for over reach beyond the extracts. Their places count as neither right nor \
             wrong.",
            are(open, drawn, "is", "are"),
            simulation.horizon
        ));
    }
    let not_covered = lists(&|date| !is_known(date)) - open;
    if not_covered > 0 {
        says.push(format!(
            "Of {} the extracts hold no outcomes.",
            words::counted(not_covered, "list", "lists")
        ));
    }
    let changed = lists(&|date| !date.changed_sources.is_empty());
    if changed > 0 {
        says.push(format!(
            "{} drawn though sources are not what they were when the model was trained. There `score` stops until somebody \
             accepts that by name.",
            are(changed, drawn, "was", "were")
        ));
    }
    let none = simulation.dates.len() - drawn;
    if none > 0 {
        says.push(format!(
            "At {} of {} there would have been no list.",
            words::count(none as u64),
            words::counted(simulation.dates.len(), "date", "dates")
        ));
    }
    let withheld: Vec<String> = simulation
        .capacities
        .iter()
        .filter_map(|held| {
            let withheld = held.lists.iter().filter(|list| list.withheld).count();
            let of = words::counted(withheld, "list", "lists");
            (withheld > 0).then(|| format!("{of} of {}", length(held.capacity)))
        })
        .collect();
    if !withheld.is_empty() {
        says.push(format!(
            "How many were right is withheld of {}, since single places could be told from it: fewer than {} of them, of \
             those of which it is known what followed, or of those by which it differs from the same list of another length.",
            withheld.join(" and of "),
            simulation.minimum
        ));
    }
    says.push(
        "No simulation knows what people would have done: help given to a family would have changed what followed, and the lists \
         after it."
            .to_owned(),
    );
    says.push(
        "Right means that the outcome came about within its horizon; a place that was wrong may have needed help all the same. \
         Nothing was put on record, and no list came out of this."
            .to_owned(),
    );
    says
}

/// What training had seen of so many lists.
fn of_training(simulation: &Simulation, in_training: usize, drawn: usize) -> Vec<String> {
    let ends = words::date(simulation.training_ends);
    // Another model is worth naming where some of the dates that this one was trained on are left for it.
    let is_left = simulation.trained_on.iter().any(|date| date.day() <= simulation.train_until);
    let or_another = if is_left {
        format!(
            ", or simulate a model that was trained on dates up to {} alone",
            words::date(simulation.train_until)
        )
    } else {
        String::new()
    };
    let mut says = vec![match simulation.measured_on {
        MeasuredOn::InTraining => format!(
            "Every list of which it is known what followed is of a time that training had seen: it ends with what followed until \
             {ends}. So every figure here of right and wrong flatters the model: it shows what the lists and the work would have \
             been, and not how well the model does. For that go by the backtest{or_another}."
        ),
        MeasuredOn::AfterTraining if in_training > 0 => format!(
            "{} seen in training: it ends with what followed until {ends}, and what it has seen flatters the model. Figures over \
             several lists leave {} out.",
            are(in_training, drawn, "is", "are"),
            if in_training == 1 { "it" } else { "them" }
        ),
        MeasuredOn::AfterTraining => {
            format!("No list is of a time that training had seen: it ends with what followed until {ends}.")
        }
        MeasuredOn::Nothing => {
            "It is not known yet what followed any list, so nothing here says how well the model does: only what the lists \
             and the work would have been."
                .to_owned()
        }
    }];
    if in_training == drawn && simulation.measured_on == MeasuredOn::Nothing {
        says.push(format!(
            "Every list is of a time that training had seen, until {ends}: what will be known of them flatters the model."
        ));
    }
    says
}

/// `All 12 lists are`, `The list is`, `3 of 12 lists are`.
fn are(some: usize, all: usize, one: &str, many: &str) -> String {
    match (some, all) {
        (1, 1) => format!("The list {one}"),
        (some, all) if some == all => format!("All {} {many}", words::counted(all, "list", "lists")),
        (1, all) => format!("1 of {} {one}", words::counted(all, "list", "lists")),
        (some, all) => {
            format!("{} of {} {many}", words::count(some as u64), words::counted(all, "list", "lists"))
        }
    }
}
