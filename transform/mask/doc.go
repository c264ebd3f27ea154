// Package mask replaces personal and secret tokens inside free text.
//
// What is recognised, and what takes its place:
//
//   - [card]: card numbers of 13 to 19 digits with the prefix and length of an issuer and
//     a valid check digit, in one group or in groups of at least three digits (the last
//     may be shorter) with one space or hyphen between them.
//   - [iban]: account numbers of the countries in the IBAN registry, of the country's
//     length and with valid check digits, with or without single spaces or hyphens.
//   - [email]: addresses with a domain that ends in letters, also international ones and
//     those with %40 in place of @.
//   - [phone]: numbers with + or 00 and a country code; and, with separators, numbers
//     that begin with a single 0 (030/123456, 06 12 34 56 78), North American ones
//     ((555) 123-4567, 1-555-123-4567, 555.123.4567), Brazilian ones ((11) 91234-5678)
//     and Chinese ones with hyphens (138-1234-5678).
//   - [secret]: access keys and tokens that begin as those of AWS, GitHub, GitLab, Slack,
//     Stripe, OpenAI, Anthropic, Google, npm and Hugging Face do; JWTs; PEM and PGP
//     private keys; what follows Bearer; user:password in URLs; and the value after
//     = or : behind a name that ends in password, passwd, passphrase, pwd, passwort or
//     kennwort, or that is pass; if it has 8 bytes or more, also behind a name that ends
//     in secret, token, apikey, accesskey, secretkey, privatekey or authorization, in
//     any case and with any hyphens or underscores (DB_PASSWORD, aws-secret-access-key).
//
// What is knowingly missed: names of people, postal addresses, dates of birth, numbers of
// documents; tokens without a known prefix or name before them ("the password is x",
// --password x, <password>x</password>); tokens that are encoded (base64, HTML entities) or written with other
// digits than 0 to 9; phone numbers without separators or only with spaces unless they
// begin with + or 0 (555 123 4567), local ones (555-1234) and extensions; card numbers
// written as fractions (4111111111111111.0); quoted or commented parts of addresses,
// addresses without a domain name (user@localhost, user@10.0.0.1); a value without
// quotes from the first white space, quote, semicolon or & on.
//
// When in doubt, more is masked: an id may happen to be a valid card number.
package mask
