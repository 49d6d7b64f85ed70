//! Whose ids are, and how sure that is: of clusters of records by the pairs that they were made of.

use hashbrown::HashMap;

use super::events::OPEN;

/// Whose an id is, on the days `from..to`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Link {
    pub(super) person: Box<str>,
    pub(super) from: i32,
    pub(super) to: i32,
    pub(super) probability: f64,
    /// The day from which it is known that the id is that person's; `i32::MIN` for always.
    pub(super) known: i32,
    pub(super) kind: LinkKind,
}

/// What a row of a table is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkKind {
    /// An id.
    Id,
    /// A person, who need not have an id in every system.
    Person,
    /// A record that Splink put into a cluster.
    Cluster,
}

/// Two records, each by system and place among its ids, and how probable it is that they are of one person.
pub(super) struct Edge {
    pub(super) ends: [(usize, u32); 2],
    pub(super) probability: f64,
}

impl Link {
    /// The id is that person's, always and for sure.
    pub(super) fn of(person: &str) -> Self {
        Self {
            person: person.into(),
            from: i32::MIN,
            to: OPEN,
            probability: 1.0,
            known: i32::MIN,
            kind: LinkKind::Id,
        }
    }
}

/// For each system its ids, and for each of them whose it is.
/// The probability of each record of a cluster, with the places of its system, id and link: that of the surest pair that it
/// makes with another record of the cluster, since that pair alone keeps it there. A record alone in its cluster is itself; one
/// of several without any such pair is linked by nothing that was shown. `None` where there are no clusters.
pub(super) fn weigh(links: &[Vec<Vec<Link>>], edges: &[Edge]) -> Option<Vec<([usize; 3], f64)>> {
    let is_of_cluster = |link: &&Link| link.kind == LinkKind::Cluster;
    let mut sizes: HashMap<&str, u32> = HashMap::new();
    for link in links.iter().flatten().flatten().filter(is_of_cluster) {
        *sizes.entry(&link.person).or_default() += 1;
    }
    if sizes.is_empty() {
        return None;
    }
    let clusters = |(system, id): (usize, u32)| {
        let of_id = links[system][id as usize].iter();
        of_id.filter(is_of_cluster).map(|link| &*link.person)
    };
    let mut surest: HashMap<((usize, u32), &str), f64> = HashMap::new();
    for &Edge { ends: [left, right], probability } in edges.iter().filter(|edge| edge.ends[0] != edge.ends[1])
    {
        let of_right: Vec<&str> = clusters(right).collect();
        for cluster in clusters(left).filter(|cluster| of_right.contains(cluster)) {
            for end in [left, right] {
                let held = surest.entry((end, cluster)).or_default();
                *held = held.max(probability);
            }
        }
    }
    let mut weights = Vec::new();
    for (system, ids) in links.iter().enumerate() {
        for (id, of_id) in ids.iter().enumerate() {
            for (nth, link) in of_id.iter().enumerate().filter(|(_, link)| link.kind == LinkKind::Cluster) {
                let person: &str = &link.person;
                let paired = surest.get(&((system, id as u32), person)).copied().unwrap_or(0.0);
                weights.push(([system, id, nth], if sizes[person] == 1 { 1.0 } else { paired }));
            }
        }
    }
    Some(weights)
}
