package catalogs

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/catalog/rest"
	"github.com/apache/iceberg-go/table"
	"github.com/jackc/pgx/v5/pgconn"
	"gocloud.dev/gcerrors"
	"golang.org/x/oauth2"
	"google.golang.org/api/googleapi"
)

// Outcome is what is known of a commit that the catalog did not confirm.
type Outcome int

// Outcomes of a commit.
const (
	Unknown  Outcome = iota // it may have had its effect: read the table again
	Conflict                // another writer was faster; no effect
	Refused                 // it will not be accepted; no effect
)

// OutcomeOf says what an error of CommitTable means. In doubt it is Unknown: dropped answers
// arrive as plain errors of the network.
func OutcomeOf(err error) Outcome {
	switch {
	case errors.Is(err, table.ErrCommitFailed):
		return Conflict
	case requirementFailed(err):
		return Conflict
	case Unauthorized(err), errors.Is(err, rest.ErrBadRequest), errors.Is(err, catalog.ErrNoSuchTable):
		return Refused
	}
	return Unknown
}

// requirementFailed recognises the plain errors with which iceberg-go's SQL and Glue catalogs
// report that the table has changed, before they write anything.
func requirementFailed(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if strings.HasPrefix(strings.ToLower(err.Error()), "requirement failed:") {
			return true
		}
	}
	return false
}

// busyTries bounds the wait for a server that has no connection left.
const busyTries = 60

// patiently tries again while PostgreSQL has no connection left or starts, or while another
// writer creates the catalog's tables at the same time.
func patiently(ctx context.Context, try func() error) error {
	for n := 1; ; n++ {
		err := try()
		var postgres *pgconn.PgError
		if n == busyTries || !errors.As(err, &postgres) {
			return err
		}
		switch postgres.Code {
		case "53300", "57P03", "23505", "42P07": // too_many_connections, cannot_connect_now; already created
		default:
			return err
		}
		if err := Sleep(ctx, 50*time.Millisecond, time.Second); err != nil {
			return err
		}
	}
}

// Unauthorized reports that the catalog or the storage refused our credentials.
func Unauthorized(err error) bool {
	for _, refused := range []error{rest.ErrUnauthorized, rest.ErrForbidden, rest.ErrAuthorizationExpired, rest.ErrOAuthError} {
		if errors.Is(err, refused) {
			return true
		}
	}
	var postgres *pgconn.PgError
	if errors.As(err, &postgres) {
		return strings.HasPrefix(postgres.Code, "28") || postgres.Code == "42501"
	}
	switch statusOf(err) {
	case http.StatusUnauthorized, http.StatusForbidden:
		return true
	}
	var code interface{ ErrorCode() string }
	if errors.As(err, &code) {
		switch code.ErrorCode() {
		case "AccessDenied", "AccessDeniedException", "ExpiredToken", "ExpiredTokenException",
			"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "UnrecognizedClientException":
			return true
		}
	}
	return gcerrors.Code(err) == gcerrors.PermissionDenied && !errors.Is(err, fs.ErrPermission)
}

// statusOf is the HTTP status with which a cloud's service, or what gives out tokens for it,
// refused a request; 0 if there is none. AWS reports expired credentials with 400 and a code.
func statusOf(err error) int {
	var (
		aws   interface{ HTTPStatusCode() int }
		azure *azcore.ResponseError
		gcs   *googleapi.Error
		login *azidentity.AuthenticationFailedError
		token *oauth2.RetrieveError
	)
	switch {
	case errors.As(err, &login), errors.As(err, &token):
		return http.StatusUnauthorized
	case errors.As(err, &azure):
		return azure.StatusCode
	case errors.As(err, &gcs):
		return gcs.Code
	case errors.As(err, &aws):
		return aws.HTTPStatusCode()
	}
	return 0
}
