package apisim

import "strings"

// What the organisation is made of. The order of the lists is the order of how
// often their entries appear in rows.

var workspaceNames = []string{"Customer Operations", "Engineering", "Finance & Risk", "Vertrieb München"}

const (
	closedWorkspace = "Board Confidential"
	closedRepo      = "Board Papers Assistant"
)

var repoNames = []string{
	"Customer Support Repo", "Code Review Assistant", "Invoice Extraction", "Angebots-Assistent", "Helpdesk Triage",
	"Data Platform Copilot", "Fraud Notes Summariser", "Sales Email Drafts", "Chat Widget (EU)", "Incident Postmortems",
	"Expense Classifier", "Lead Scoring", "Réclamations clients", "Test Generation", "Credit Memo Drafting",
	"Vertragsprüfung", "Call Transcripts", "Internal Search", "Treasury Forecast Notes", "Produkttexte",
	"Knowledge Base Writer", "Migration Helper", "Audit Evidence Bot", "カスタマーサポート", "Sandbox",
}

// topic is a policy and what its rows speak about.
type topic struct {
	policy   string
	subjects []string
}

var topics = []topic{
	{"PII Protection Policy", []string{"a customer's home address", "a passport number", "a social security number", "a date of birth", "a private phone number", "an e-mail address list"}},
	{"Secrets and Credentials", []string{"an AWS access key", "a database password", "a private SSH key", "a session cookie", "an OAuth client secret"}},
	{"Payment Card Data (PCI DSS)", []string{"a credit card number", "a CVV code", "a full magnetic stripe track", "an IBAN with holder name"}},
	{"Prompt Injection Shield", []string{"an instruction to ignore earlier rules", "a hidden system prompt request", "a role-play jailbreak", "base64-encoded instructions"}},
	{"Source Code Confidentiality", []string{"proprietary pricing code", "an unreleased firmware module", "a licence check routine", "an internal API schema"}},
	{"Données personnelles – RGPD", []string{"a numéro de sécurité sociale", "an adresse privée", "a relevé d'identité bancaire"}},
	{"Acceptable Use and Toxicity", []string{"harassing language", "a \"joke\" about a protected group", "a threat against a colleague", "explicit content"}},
	{"Financial Advice Restriction", []string{"a buy recommendation", "a promise of returns", "personal tax advice", "undisclosed earnings figures"}},
	{"Health Information (HIPAA)", []string{"a diagnosis", "a medication list", "a patient identifier", "lab results"}},
	{"Export Control Keywords", []string{"a controlled encryption design", "a dual-use component list", "a restricted destination"}},
	{"Modell-Freigabeliste", []string{"a model that is not approved", "a preview model in production", "an endpoint outside the EU"}},
	{"Contract Terms Guardrail", []string{"a discount above the limit", "an unapproved liability clause", "a delivery guarantee"}},
}

var alertPatterns = []string{
	"Potential policy match detected in conversation: %s",
	"Suspicious pattern detected in AI interaction: %s",
	"The prompt appears to contain %s",
	"The model's answer appears to contain %s",
	"Repeated attempts within ten minutes to send %s",
	"An attached file seems to include %s",
}

var violationPatterns = []string{
	"Attempted to share %s in AI conversation",
	"The prompt contained %s, which this policy does not allow",
	"The model returned %s and the user kept it in the conversation",
	"User pasted %s from the clipboard; the request was evaluated before it left the gateway",
	"An uploaded document contained %s on at least one page",
}

func combine(patterns, subjects []string) (texts []string) {
	for _, pattern := range patterns {
		for _, subject := range subjects {
			texts = append(texts, strings.Replace(pattern, "%s", subject, 1))
		}
	}
	return texts
}

var userNames = []string{
	"John Doe", "Jane Smith", "Zoë Müller", "Priya Raman", "Carlos Núñez", "Emma Johansson", "Liam O'Connor", "Ольга Иванова",
	"Nguyễn Thị Hoa", "Ahmed El-Sayed", "Sofia Rossi", "Thomas Becker", "李小梅", "Grace Okafor", "Mateusz Wójcik", "Hannah Lee",
	"Søren Kjær", "Isabella Fernández", "David Cohen", "Aisha Bello", "Lukas Weiß", "Chloé Dubois", "Marko Petrović", "Yuki Tanaka",
	"Olivia Brown", "Daniel Kim", "Fatima Zahra", "Peter Novák", "Ingrid Ødegård", "Samuel Adeyemi", "Laura Bianchi", "Tomáš Dvořák",
	"Maria Papadopoulou", "James Wilson", "Elif Yılmaz", "Anders Lindqvist", "Kavya Iyer", "Noah Fischer", "Camille Laurent", "Wei Zhang",
	"Rebecca Stone", "Jorge Silva", "Katarzyna Zając", "Michael Brandt", "Amélie Côté", "Viktor Horváth", "Sara Haddad", "Tim van den Berg",
	"Lucía Ortega", "Oscar Nyström", "Deborah Klein", "김민준", "Ravi Shankar", "Eva Kovács", "Philip Grant", "Leïla Benali",
	"George Mensah", "Julia Schäfer", "Ana Lima", "service-account ci",
}

// provider is a vendor of models as keys are named for it.
type provider struct{ llmType, name string }

// The first ones are chosen most often.
var providers = []provider{
	{"OPENAI", "OpenAI"},
	{"ANTHROPIC", "Anthropic"},
	{"OPENAI", "OpenAI"},
	{"GOOGLE", "Gemini"},
	{"AWS", "Bedrock"},
	{"OTHER", "Self-hosted"},
}

var keyStages = []string{"Production", "Production", "Staging", "Batch", "Développement"}

var models = []model{
	{"OPENAI", "gpt-4", "api.openai.com"},
	{"OPENAI", "gpt-4o", "api.openai.com"},
	{"OPENAI", "gpt-4o-mini", "api.openai.com"},
	{"OPENAI", "o3", "flashback-eu.openai.azure.com"},
	{"ANTHROPIC", "claude-3", "api.anthropic.com"},
	{"ANTHROPIC", "claude-3-5-sonnet", "api.anthropic.com"},
	{"GOOGLE", "gemini-1.5-pro", "generativelanguage.googleapis.com"},
	{"GOOGLE", "gemini-2.0-flash", "generativelanguage.googleapis.com"},
	{"AWS", "amazon.nova-pro-v1:0", "bedrock-runtime.eu-central-1.amazonaws.com"},
	{"AWS", "anthropic.claude-3-haiku", "bedrock-runtime.us-east-1.amazonaws.com"},
	{"OTHER", "mistral-large", "api.mistral.ai"},
	{"OTHER", "llama-3.1-70b", "llm.internal.example"},
}
