// What is folded is more than half of a long page. Within "noscript" it costs a browser with scripts nothing until it is laid in, which
// is done when somebody opens or prints it, searches the page, or when there is nothing else to do; without a script it is there.
var wholePage = (function () {
  "use strict";
  document.querySelector(".blocked[data-script]").remove();
  var waiting = Array.prototype.slice.call(document.querySelectorAll("details > noscript"));
  var layIn = function (held) {
    var inside = document.createElement("template");
    inside.innerHTML = held.textContent;
    held.replaceWith(inside.content);
  };
  var whole = function () { waiting.splice(0).forEach(layIn); };
  document.addEventListener("toggle", function (event) {
    var held = event.target.querySelector ? event.target.querySelector(":scope > noscript") : null;
    if (held) {
      waiting.splice(waiting.indexOf(held), 1);
      layIn(held);
    }
  }, true);
  window.addEventListener("beforeprint", whole);
  var later = window.requestIdleCallback || function (what) { return setTimeout(what, 50, { timeRemaining: function () { return 10; } }); };
  var next = function (idle) {
    do {
      var held = waiting.shift();
      if (held) { layIn(held); }
    } while (waiting.length > 0 && idle.timeRemaining() > 5);
    if (waiting.length > 0) { later(next); }
  };
  window.addEventListener("load", function () { later(next); });
  return whole;
}());

// Search, filter and sort for the table and the cases below it. Without a script the page is the same, in the order of places.
(function () {
  "use strict";
  var table = document.querySelector("table.short");
  if (!table) { return; }
  var body = table.tBodies[0];
  var rows = Array.prototype.slice.call(body.rows);
  var article = function (row) { return document.getElementById("case-" + row.dataset.at); };
  var make = function (name, text) {
    var element = document.createElement(name);
    if (text) { element.textContent = text; }
    return element;
  };

  var tools = make("div");
  tools.className = "tools";
  tools.setAttribute("role", "search");
  var wordsLabel = make("label", "Find in the list ");
  var words = make("input");
  words.type = "search";
  wordsLabel.appendChild(words);
  var whichLabel = make("label", "Show ");
  var which = make("select");
  [["", "all"], ["new", "new since the last list"], ["stayed", "on the last list, too"], ["decided", "decided last time"],
    ["open", "not decided last time"], ["known", "known to a service already"], ["unknown", "not known to a service"], ["random", "drawn at random"]].forEach(function (pair) {
    var has = rows.some(function (row) { return !pair[0] || row.dataset.marks.split(" ").indexOf(pair[0]) >= 0; });
    if (!has) { return; }
    var option = make("option", pair[1]);
    option.value = pair[0];
    which.appendChild(option);
  });
  whichLabel.appendChild(which);
  var shown = make("output");
  tools.append(wordsLabel, whichLabel, shown);
  table.parentElement.before(tools);

  var filter = function () {
    var text = words.value.trim().toLowerCase();
    if (text) { wholePage(); }
    var count = 0;
    rows.forEach(function (row) {
      var page = article(row);
      // What is covered cannot be searched for.
      var cover = page.querySelector("details.cover");
      var says = row.textContent + (cover && !cover.open ? "" : page.textContent);
      var holds = !text || says.toLowerCase().indexOf(text) >= 0;
      var is = !which.value || row.dataset.marks.split(" ").indexOf(which.value) >= 0;
      row.hidden = page.hidden = !(holds && is);
      count += row.hidden ? 0 : 1;
    });
    shown.textContent = count + " of " + rows.length + " shown";
    // What is printed of a part says that it is one.
    table.caption.dataset.part = rows.length > count ? shown.textContent + ". " : "";
  };
  words.addEventListener("input", filter);
  which.addEventListener("change", filter);
  filter();

  var heads = Array.prototype.slice.call(table.querySelectorAll("th[data-sort]"));
  heads.forEach(function (head) {
    var button = make("button", head.textContent);
    button.type = "button";
    head.textContent = "";
    head.appendChild(button);
    button.addEventListener("click", function () {
      var falls = head.getAttribute("aria-sort") === "ascending";
      heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", falls ? "descending" : "ascending");
      var key = head.dataset.sort;
      rows.sort(function (a, b) {
        var one = a.dataset[key];
        var two = b.dataset[key];
        var by = key === "case" ? one.localeCompare(two) : Number(one) - Number(two);
        return (falls ? -by : by) || Number(a.dataset.place) - Number(b.dataset.place);
      });
      rows.forEach(function (row) { body.appendChild(row); });
    });
  });
  var place = table.querySelector("th[data-sort=place]");
  if (place) { place.setAttribute("aria-sort", "ascending"); }
}());

// What a reviewer decides, case by case, saved to a file for the ledger. Nothing is sent, and nothing has an answer by default.
(function () {
  "use strict";
  var all = document.getElementById("hand-in-all");
  var tell = function (where, text) { where.querySelector("[data-told]").textContent = text; };
  var today = function () {
    var now = new Date();
    var two = function (number) { return (number < 10 ? "0" : "") + number; };
    return now.getFullYear() + "-" + two(now.getMonth() + 1) + "-" + two(now.getDate());
  };
  var isExpired = function () { return all && today() > all.dataset.expires; };
  if (isExpired()) {
    document.querySelector(".expired").hidden = false;
  }
  var each = function (selector, what) { Array.prototype.forEach.call(document.querySelectorAll(selector), what); };
  var own = function (at) { return document.getElementById("own-" + at); };
  // When a case was first looked at: when its own judgement was written, or its form was begun.
  var opened = {};
  var open = function (at) { opened[at] = opened[at] || today(); };

  // Where own judgement comes first, place, band and reasons stay covered until there is one. Then it stands as it was written.
  each("details.cover", function (cover) {
    var page = cover.closest("article");
    var at = page.id.replace("case-", "");
    var written = own(at);
    cover.querySelector("summary").addEventListener("click", function (event) {
      if (cover.open) { return; }
      if (!written.value.trim()) {
        event.preventDefault();
        tell(page.querySelector(".own"), "Write down your own judgement first.");
        written.focus();
        return;
      }
      open(at);
      written.readOnly = true;
      tell(page.querySelector(".own"), "Written before you saw the place and the reasons.");
    });
  });
  if (!all) { return; }

  var kept = {};
  var list = document.getElementById("kept");
  var isSaved = true;
  var show = function () {
    list.textContent = "";
    Object.keys(kept).forEach(function (at) {
      var item = document.createElement("li");
      var link = document.createElement("a");
      link.href = "#case-" + at;
      link.textContent = kept[at].case;
      item.append(link, ": " + kept[at].words);
      list.appendChild(item);
    });
  };
  var answer = function (form, name) {
    var held = form.querySelector("[data-answer=" + name + "]:checked, textarea[data-answer=" + name + "], select[data-answer=" + name
      + "], input:not([type=radio])[data-answer=" + name + "]");
    return held ? held.value.trim() : "";
  };
  var said = function (form, name) {
    return form.querySelector("[data-answer=" + name + "]:checked").parentElement.textContent.trim();
  };
  var asked = document.getElementById("decision").content;
  each("form.decision", function (form) {
    var at = form.dataset.at;
    form.appendChild(asked.cloneNode(true));
    ["id", "for", "name"].forEach(function (which) {
      Array.prototype.forEach.call(form.querySelectorAll("[" + which + "]"), function (part) { part.setAttribute(which, part.getAttribute(which) + at); });
    });
    form.hidden = false;
    form.addEventListener("input", function () { open(at); });
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      var cover = form.parentElement.querySelector("details.cover");
      var missing = [];
      if (isExpired()) {
        tell(form, document.querySelector(".expired").textContent);
        return;
      }
      if (cover && !own(at).readOnly) { missing.push("your own judgement, with which the reasons open"); }
      if (!answer(form, "step")) { missing.push("the next step"); }
      if (!answer(form, "agreement")) { missing.push("whether you agree"); }
      if (form.querySelector("select[data-answer=reason_code]") && !answer(form, "reason_code")) { missing.push("a reason"); }
      if (!answer(form, "reason")) { missing.push("why, in words"); }
      var before = answer(form, "supersedes");
      if (before && !/^[1-9][0-9]{0,14}$/.test(before)) { missing.push("the number of the entry, in digits alone"); }
      if (missing.length > 0) {
        tell(form, "Still to say: " + missing.join("; ") + ".");
        return;
      }
      open(at);
      var decision = { place: Number(form.dataset.place), case: form.dataset.case, opened_on: opened[at], decided_on: today() };
      if (own(at).value.trim()) { decision.own_judgement = own(at).value.trim(); }
      decision.step = answer(form, "step");
      decision.agreement = answer(form, "agreement");
      if (answer(form, "reason_code")) { decision.reason_code = answer(form, "reason_code"); }
      decision.reason = answer(form, "reason");
      if (before) { decision.supersedes = Number(before); }
      kept[at] = { case: form.dataset.case, words: said(form, "step") + "; " + said(form, "agreement"), decision: decision };
      isSaved = false;
      show();
      tell(form, "Kept until this page is closed. Save it below, with your other decisions.");
    });
  });
  var reviewer = document.getElementById("reviewer");
  reviewer.addEventListener("submit", function (event) {
    event.preventDefault();
    var name = document.getElementById("name").value.trim();
    var role = document.getElementById("role").value.trim();
    var decisions = Object.keys(kept).map(function (at) { return kept[at].decision; });
    if (!name || !role || decisions.length === 0) {
      tell(reviewer, decisions.length === 0 ? "No decision is kept yet." : "Say who you are, and in which role.");
      return;
    }
    var file = { format: "earlyhelp decisions, format 1", run: all.dataset.run, reviewer: { name: name, role: role }, decisions: decisions };
    var link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(file, null, 2) + "\n"], { type: "application/json" }));
    link.download = "decisions-" + all.dataset.run + ".json";
    link.click();
    setTimeout(function () { URL.revokeObjectURL(link.href); }, 10000);
    isSaved = true;
    tell(reviewer, decisions.length + (decisions.length === 1 ? " decision is" : " decisions are") + " in the file, in your downloads.");
  });
  all.hidden = false;
  window.addEventListener("beforeunload", function (event) {
    if (!isSaved) { event.preventDefault(); }
  });
}());
