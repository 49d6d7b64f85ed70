# One whole review over `earlyhelp serve`: .\Review.ps1 ADDRESS TOKEN_FILE PURPOSE DATE
#
# Copy the class into a script of your own; it needs nothing but Windows PowerShell 5.1 or PowerShell 7. Start the service before:
#     earlyhelp serve PROJECT.toml --model RELEASED.json --ledger LEDGER --listen 127.0.0.1:8765 --token-file TOKEN
# No test runs this one: there is no PowerShell where the tests run.

param([string] $Address, [string] $TokenFile, [string] $Purpose, [string] $Date)
$ErrorActionPreference = 'Stop'

class Earlyhelp {
    [Net.Sockets.TcpClient] $Client
    [IO.StreamReader] $Answers
    [IO.StreamWriter] $Questions
    [hashtable] $Always
    [int] $Asked = 0

    Earlyhelp([string] $address, [string] $token, [string] $by, [string] $purpose) {
        $at = $address.LastIndexOf(':')
        $this.Client = [Net.Sockets.TcpClient]::new($address.Substring(0, $at), [int] $address.Substring($at + 1))
        $plain = [Text.UTF8Encoding]::new($false)
        $this.Answers = [IO.StreamReader]::new($this.Client.GetStream(), $plain)
        $this.Questions = [IO.StreamWriter]::new($this.Client.GetStream(), $plain)
        $this.Questions.NewLine = "`n"
        $this.Always = @{ v = 1; token = $token; by = $by; purpose = $purpose }
    }

    # Throws where the service says no, or cannot: "refused: ...", "bad_input: ...", "not_found: ...", "retry: ...", "ours: ...".
    [object] Ask([string] $what, [hashtable] $fields) {
        $this.Asked += 1
        $question = $this.Always + @{ id = $this.Asked; do = $what } + $fields
        $this.Questions.WriteLine(($question | ConvertTo-Json -Compress -Depth 8))
        $this.Questions.Flush()
        $line = $this.Answers.ReadLine()
        if ($null -eq $line) { throw 'retry: the service is gone' }
        $answer = $line | ConvertFrom-Json
        if ($answer.PSObject.Properties['error']) { throw "$($answer.error.class): $($answer.error.says)" }
        return $answer.ok
    }

    [void] Close() { $this.Client.Close() }
}

$token = (Get-Content -LiteralPath $TokenFile -TotalCount 1).Trim()
$lead = [Earlyhelp]::new($Address, $token, 'B. Lead', $Purpose)
$run = $lead.Ask('score', @{ as_of = $Date; on = $Date; capacity = 5 }).run
$lead.Close()

$worker = [Earlyhelp]::new($Address, $token, 'C. Worker', $Purpose)
$first = $worker.Ask('list', @{ run = $run }).places | Where-Object { $null -eq $_.decided } | Select-Object -First 1
$opened = $worker.Ask('open', @{ run = $run; place = $first.place; role = 'Practitioner'; on = $Date }).case
"place $($first.place): $($opened.band.name) of scores"
$opened.contributions | Select-Object -First 3 | ForEach-Object { '  {0:+0.00;-0.00}  {1}' -f $_.log_odds, $_.words }
# What the model says today of one person is on record, and on no list.
$asked = $worker.Ask('explain', @{ person = $first.person; as_of = $Date; on = $Date })
if ($asked.answer.scored.score -ne $opened.score) { throw 'another score' }
$decided = $worker.Ask('decide', @{ run = $run; place = $first.place; role = 'Practitioner'; on = $Date
        step = 'seek_information'; agreement = 'cannot_tell'; reason = 'Ask the school first.' })
try { $null = $worker.Ask('open', @{ run = $run; place = 9999; role = 'Practitioner'; on = $Date }) } catch { "$_" }
"decided in entry $($decided.entry)"
$worker.Close()
