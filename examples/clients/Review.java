// One whole review over `earlyhelp serve`: java Review.java ADDRESS TOKEN_FILE PURPOSE DATE
// Copy `Earlyhelp` into a program of your own; it needs nothing but Java 17 (with a JSON library there, leave `Json` out). Start the service before:
//     earlyhelp serve PROJECT.toml --model RELEASED.json --ledger LEDGER --listen 127.0.0.1:8765 --token-file TOKEN
import java.io.*;
import java.net.Socket;
import java.nio.file.*;
import java.util.*;
import java.util.regex.*;
import java.util.stream.Collectors;
import static java.nio.charset.StandardCharsets.UTF_8;

@SuppressWarnings("unchecked")
public class Review {
    /** The service says no, or cannot: kind is refused, bad_input, not_found, retry or ours. */
    static class Refused extends IOException { final String kind; Refused(String kind, String says) { super(says); this.kind = kind; } }

    record Earlyhelp(Socket socket, BufferedReader answers, Map<String, Object> always) implements Closeable {
        static Earlyhelp connect(String address, String token, String by, String purpose) throws IOException {
            var socket = new Socket(address.split(":")[0], Integer.parseInt(address.split(":")[1]));
            socket.setSoTimeout(120_000);
            return new Earlyhelp(socket, new BufferedReader(new InputStreamReader(socket.getInputStream(), UTF_8)), Map.of("v", 1, "token", token, "by", by, "purpose", purpose));
        }
        /** What is asked, with names and values by turns. Questions of one connection are answered in their order. */
        Map<String, Object> ask(String what, Object... fields) throws IOException {
            var question = new LinkedHashMap<>(always);
            question.put("do", what);
            for (int nth = 0; nth < fields.length; nth += 2) question.put((String) fields[nth], fields[nth + 1]);
            socket.getOutputStream().write((Json.write(question) + "\n").getBytes(UTF_8));
            String line = answers.readLine();
            if (line == null || !line.endsWith("}")) throw new Refused("retry", "the service is gone");
            var answer = (Map<String, Object>) Json.value(Json.TOKENS.matcher(line).results().map(MatchResult::group).iterator());
            var error = (Map<String, Object>) answer.get("error");
            if (error != null) throw new Refused((String) error.get("class"), (String) error.get("says"));
            return (Map<String, Object>) answer.get("ok");
        }
        public void close() throws IOException { socket.close(); }
    }
    /** As much of JSON as the service writes, token by token. */
    static class Json {
        static final Pattern TOKENS = Pattern.compile("\"[^\"\\\\]*+(?:\\\\.[^\"\\\\]*+)*+\"|[\\[\\]{}:,]|[^\\s,\\]}]+"), ESCAPED = Pattern.compile("\\\\(?:u(.{4})|.)");
        static final Object END = new Object();
        static Object value(Iterator<String> tokens) {
            String token = tokens.next();
            if (token.equals(",") || token.equals(":")) return value(tokens);
            if (token.equals("]") || token.equals("}")) return END;
            if (token.charAt(0) == '"') return ESCAPED.matcher(token.substring(1, token.length() - 1)).replaceAll(found ->
                Matcher.quoteReplacement(found.group(1) != null ? String.valueOf((char) Integer.parseInt(found.group(1), 16)) : found.group().equals("\\/") ? "/" : found.group().translateEscapes()));
            if (!token.equals("[") && !token.equals("{")) return token.equals("null") ? null : token.matches("true|false") ? Boolean.valueOf(token) : (Object) Double.valueOf(token);
            var all = new ArrayList<Object>();
            for (Object each = value(tokens); each != END; each = value(tokens)) all.add(each);
            if (token.equals("[")) return all;
            var fields = new LinkedHashMap<Object, Object>();
            for (int nth = 0; nth < all.size(); nth += 2) fields.put(all.get(nth), all.get(nth + 1));
            return fields;
        }
        static String write(Object value) {
            if (value instanceof Map<?, ?> map) return map.entrySet().stream().map(each -> write(each.getKey()) + ":" + write(each.getValue())).collect(Collectors.joining(",", "{", "}"));
            if (!(value instanceof String words)) return String.valueOf(value);
            return words.chars().mapToObj(c -> c == '"' || c == '\\' || c < ' ' ? String.format("\\u%04x", c) : String.valueOf((char) c)).collect(Collectors.joining("", "\"", "\""));
        }
    }
    public static void main(String[] given) throws Exception {
        String token = Files.readAllLines(Path.of(given[1])).get(0).trim(), date = given[3], run;
        try (var lead = Earlyhelp.connect(given[0], token, "B. Lead", given[2])) { run = (String) lead.ask("score", "as_of", date, "on", date, "capacity", 5).get("run"); }
        try (var worker = Earlyhelp.connect(given[0], token, "C. Worker", given[2])) {
            var places = (List<Map<String, Object>>) worker.ask("list", "run", run).get("places");
            var first = places.stream().filter(each -> each.get("decided") == null).findFirst().orElseThrow();
            var place = ((Double) first.get("place")).intValue();
            var opened = (Map<String, Object>) worker.ask("open", "run", run, "place", place, "role", "Practitioner", "on", date).get("case");
            System.out.println("place " + place + ": " + ((Map<String, Object>) opened.get("band")).get("name") + " of scores");
            for (var reason : ((List<Map<String, Object>>) opened.get("contributions")).subList(0, 3)) System.out.printf("  %+.2f  %s%n", reason.get("log_odds"), reason.get("words"));
            var asked = (Map<String, Object>) worker.ask("explain", "person", first.get("person"), "as_of", date, "on", date).get("answer"); // on record, and on no list
            if (!((Map<String, Object>) asked.get("scored")).get("score").equals(opened.get("score"))) throw new IllegalStateException("another score");
            var decided = worker.ask("decide", "run", run, "place", place, "role", "Practitioner", "on", date, "step", "seek_information", "agreement", "cannot_tell", "reason", "Ask the school first.");
            try { worker.ask("open", "run", run, "place", 9999, "role", "Practitioner", "on", date); } catch (Refused error) { System.out.println(error.kind + ": " + error.getMessage()); }
            System.out.println("decided in entry " + ((Double) decided.get("entry")).longValue());
        }
    }
}
