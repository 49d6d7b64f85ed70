// One whole review over `earlyhelp serve`: java Review.java ADDRESS TOKEN_FILE PURPOSE DATE
//
// Copy `Earlyhelp` into a program of your own; it needs nothing but Java 17 (with a JSON library there, leave `Json` out). Start the service before:
//     earlyhelp serve PROJECT.toml --model RELEASED.json --ledger LEDGER --listen 127.0.0.1:8765 --token-file TOKEN

import java.io.*;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;

public class Review {
    /** The service says no, or cannot: kind is refused, bad_input, not_found, retry or ours. */
    static class Refused extends IOException {
        final String kind;
        Refused(String kind, String says) { super(says); this.kind = kind; }
    }

    static class Earlyhelp implements Closeable {
        private final Socket socket;
        private final BufferedReader answers;
        private final Writer questions;
        private final Map<String, Object> always;
        private int asked;

        Earlyhelp(String address, String token, String by, String purpose) throws IOException {
            int at = address.lastIndexOf(':');
            socket = new Socket(address.substring(0, at), Integer.parseInt(address.substring(at + 1)));
            socket.setSoTimeout(120_000);
            answers = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            questions = new OutputStreamWriter(socket.getOutputStream(), StandardCharsets.UTF_8);
            always = Map.of("v", 1, "token", token, "by", by, "purpose", purpose);
        }

        /** What is asked, with names and values by turns. */
        @SuppressWarnings("unchecked")
        Map<String, Object> ask(String what, Object... fields) throws IOException {
            Map<String, Object> question = new LinkedHashMap<>(always);
            question.put("id", ++asked);
            question.put("do", what);
            for (int nth = 0; nth < fields.length; nth += 2) question.put((String) fields[nth], fields[nth + 1]);
            questions.write(Json.write(question) + "\n");
            questions.flush();
            String line = answers.readLine();
            if (line == null) throw new Refused("retry", "the service is gone");
            var answer = (Map<String, Object>) new Json(line).value();
            var error = (Map<String, Object>) answer.get("error");
            if (error != null) throw new Refused((String) error.get("class"), (String) error.get("says"));
            return (Map<String, Object>) answer.get("ok");
        }

        public void close() throws IOException { socket.close(); }
    }

    /** As much of JSON as the service writes: objects, lists, texts, numbers, true, false and null. */
    record Json(StringReader text) {
        Json(String text) { this(new StringReader(text)); }

        Object value() throws IOException {
            int sign = next();
            if (sign == '{') { var all = new LinkedHashMap<String, Object>(); for (int s = next(); s != '}'; s = next()) { if (s == ',') s = next(); String name = string(); next(); all.put(name, value()); } return all; }
            if (sign == '[') { var all = new ArrayList<Object>(); for (int s = peek(); s != ']'; s = peek()) { if (s == ',') next(); all.add(value()); } next(); return all; }
            if (sign == '"') return string();
            var word = new StringBuilder().append((char) sign);
            for (int s = peek(); s != ',' && s != '}' && s != ']' && s != -1; s = peek()) word.append((char) next());
            return switch (word.toString()) { case "null" -> null; case "true" -> true; case "false" -> false; default -> Double.valueOf(word.toString()); };
        }

        private String string() throws IOException {
            var all = new StringBuilder();
            for (int s = text.read(); s != '"'; s = text.read()) {
                if (s == -1) throw new Refused("retry", "the answer was cut off");
                all.append(s == '\\' ? escaped(text.read()) : (char) s);
            }
            return all.toString();
        }

        private char escaped(int sign) throws IOException {
            if (sign != 'u') return sign == 'n' ? '\n' : sign == 't' ? '\t' : sign == 'r' ? '\r' : sign == 'b' ? '\b' : sign == 'f' ? '\f' : (char) sign;
            char[] code = new char[4];
            text.read(code);
            return (char) Integer.parseInt(new String(code), 16);
        }

        private int next() throws IOException { int s = text.read(); while (s == ' ') s = text.read(); return s; }
        private int peek() throws IOException { text.mark(1); int s = next(); text.reset(); return s; }

        static String write(Object value) {
            if (value instanceof Map<?, ?> map) return map.entrySet().stream().map(e -> write(e.getKey()) + ":" + write(e.getValue())).reduce((a, b) -> a + "," + b).map(s -> "{" + s + "}").orElse("{}");
            if (!(value instanceof String words)) return String.valueOf(value);
            return words.chars().mapToObj(c -> c == '"' || c == '\\' || c < ' ' ? String.format("\\u%04x", c) : String.valueOf((char) c)).reduce("\"", String::concat) + "\"";
        }
    }

    @SuppressWarnings("unchecked")
    public static void main(String[] arguments) throws Exception {
        String address = arguments[0], token = Files.readAllLines(Path.of(arguments[1])).get(0).trim(), purpose = arguments[2], date = arguments[3], run;
        try (var lead = new Earlyhelp(address, token, "B. Lead", purpose)) {
            run = (String) lead.ask("score", "as_of", date, "on", date, "capacity", 5).get("run");
        }
        try (var worker = new Earlyhelp(address, token, "C. Worker", purpose)) {
            var places = (List<Map<String, Object>>) worker.ask("list", "run", run).get("places");
            var first = places.stream().filter(each -> each.get("decided") == null).findFirst().orElseThrow();
            int place = ((Double) first.get("place")).intValue();
            var opened = (Map<String, Object>) worker.ask("open", "run", run, "place", place, "role", "Practitioner", "on", date).get("case");
            System.out.println("place " + place + ": " + ((Map<String, Object>) opened.get("band")).get("name") + " of scores");
            for (var reason : ((List<Map<String, Object>>) opened.get("contributions")).subList(0, 3)) System.out.printf("  %+.2f  %s%n", reason.get("log_odds"), reason.get("words"));
            // What the model says today of one person is on record, and on no list.
            var asked = (Map<String, Object>) worker.ask("explain", "person", first.get("person"), "as_of", date, "on", date).get("answer");
            if (!((Map<String, Object>) asked.get("scored")).get("score").equals(opened.get("score"))) throw new IllegalStateException("another score");
            var decided = worker.ask("decide", "run", run, "place", place, "role", "Practitioner", "on", date, "step", "seek_information", "agreement", "cannot_tell", "reason", "Ask the school first.");
            try {
                worker.ask("open", "run", run, "place", 9999, "role", "Practitioner", "on", date);
            } catch (Refused error) {
                System.out.println(error.kind + ": " + error.getMessage());
            }
            System.out.println("decided in entry " + ((Double) decided.get("entry")).longValue());
        }
    }
}
