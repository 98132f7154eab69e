// The program of all unit tests: build/<preset>/ktc_tests --help.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
