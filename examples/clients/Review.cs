// One whole review over `earlyhelp serve`: Review.exe ADDRESS TOKEN_FILE PURPOSE DATE
//
// Copy `Earlyhelp` into a program of your own; it needs nothing but .NET (Framework, Core or Mono):
//     mcs -r:System.Runtime.Serialization -r:System.Xml -r:System.Xml.Linq Review.cs && mono Review.exe ...
// Start the service before: earlyhelp serve PROJECT.toml --model RELEASED.json --ledger LEDGER --listen 127.0.0.1:8765 --token-file TOKEN

using System; using System.IO; using System.Linq; using System.Net.Sockets; using System.Text;
using System.Runtime.Serialization.Json; using System.Xml; using System.Xml.Linq;

/// The service says no, or cannot: Kind is refused, bad_input, not_found, retry or ours.
class Refused : Exception {
    public readonly string Kind;
    public Refused(string kind, string says) : base(says) { Kind = kind; }
}

class Earlyhelp : IDisposable {
    readonly TcpClient client;
    readonly StreamReader answers;
    readonly StreamWriter questions;
    readonly string always;
    int asked;

    public Earlyhelp(string address, string token, string by, string purpose) {
        int at = address.LastIndexOf(':');
        client = new TcpClient(address.Substring(0, at), int.Parse(address.Substring(at + 1))) { ReceiveTimeout = 120000 };
        answers = new StreamReader(client.GetStream(), new UTF8Encoding(false));
        questions = new StreamWriter(client.GetStream(), new UTF8Encoding(false)) { NewLine = "\n", AutoFlush = true };
        always = Fields("token", token, "by", by, "purpose", purpose);
    }

    /// Fields are names and values by turns; a value is a text or a whole number. Answers are read as XML: ok.Element("run").Value
    public XElement Ask(string what, params object[] fields) {
        questions.WriteLine("{\"v\":1,\"id\":" + ++asked + "," + always + "," + Fields("do", what) + (fields.Length > 0 ? "," : "") + Fields(fields) + "}");
        string line = answers.ReadLine();
        if (line == null) throw new Refused("retry", "the service is gone");
        var reader = JsonReaderWriterFactory.CreateJsonReader(Encoding.UTF8.GetBytes(line), XmlDictionaryReaderQuotas.Max);
        XElement answer = XElement.Load(reader), error = answer.Element("error");
        if (error != null) throw new Refused(error.Element("class").Value, error.Element("says").Value);
        return answer.Element("ok");
    }

    static string Fields(params object[] fields) {
        return string.Join(",", Enumerable.Range(0, fields.Length / 2).Select(nth => Text(fields[2 * nth]) + ":" + Text(fields[2 * nth + 1])));
    }

    static string Text(object value) {
        if (!(value is string)) return value.ToString();
        var letters = ((string) value).Select(letter => letter == '"' || letter == '\\' || letter < ' ' ? "\\u" + ((int) letter).ToString("x4") : letter.ToString());
        return "\"" + string.Concat(letters) + "\"";
    }

    public void Dispose() { client.Close(); }
}

static class Review {
    static void Main(string[] arguments) {
        string address = arguments[0], token = File.ReadLines(arguments[1]).First().Trim(), purpose = arguments[2], date = arguments[3], run;
        using (var lead = new Earlyhelp(address, token, "B. Lead", purpose))
            run = lead.Ask("score", "as_of", date, "on", date, "capacity", 5).Element("run").Value;
        using (var worker = new Earlyhelp(address, token, "C. Worker", purpose)) {
            XElement first = worker.Ask("list", "run", run).Element("places").Elements().First(each => each.Element("decided").Value == "");
            int place = int.Parse(first.Element("place").Value);
            string person = first.Element("person").Value;
            XElement opened = worker.Ask("open", "run", run, "place", place, "role", "Practitioner", "on", date).Element("case");
            Console.WriteLine("place " + place + ": " + opened.Element("band").Element("name").Value + " of scores");
            foreach (XElement reason in opened.Element("contributions").Elements().Take(3))
                Console.WriteLine("  " + reason.Element("log_odds").Value + "  " + reason.Element("words").Value);
            // What the model says today of one person is on record, and on no list.
            XElement asked = worker.Ask("explain", "person", person, "as_of", date, "on", date).Element("answer").Element("scored");
            if (asked.Element("score").Value != opened.Element("score").Value) throw new Exception("another score");
            XElement decided = worker.Ask("decide", "run", run, "place", place, "role", "Practitioner", "on", date, "step", "seek_information",
                "agreement", "cannot_tell", "reason", "Ask the school first.");
            try { worker.Ask("open", "run", run, "place", 9999, "role", "Practitioner", "on", date); }
            catch (Refused error) { Console.WriteLine(error.Kind + ": " + error.Message); }
            Console.WriteLine("decided in entry " + decided.Element("entry").Value);
        }
    }
}
