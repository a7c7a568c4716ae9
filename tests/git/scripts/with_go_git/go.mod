// Beside this file Go looks for packages of a major version where Debian has them.
module forge.example/with-go-git
