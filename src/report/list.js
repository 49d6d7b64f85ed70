// Search, filter and sort for the table and the cases below it. Without a script the page is the same, in the order of places.
(function () {
  "use strict";
  var table = document.querySelector("table.short");
  if (!table) { return; }
  var body = table.tBodies[0];
  var rows = Array.prototype.slice.call(body.rows);
  var article = function (row) { return document.getElementById("case-" + row.dataset.place); };
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
    var count = 0;
    rows.forEach(function (row) {
      var page = article(row);
      var holds = !text || (page.textContent + row.textContent).toLowerCase().indexOf(text) >= 0;
      var is = !which.value || row.dataset.marks.split(" ").indexOf(which.value) >= 0;
      row.hidden = page.hidden = !(holds && is);
      count += row.hidden ? 0 : 1;
    });
    shown.textContent = count + " of " + rows.length + " shown";
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
