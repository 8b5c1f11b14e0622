import Testing
import TestSupport
import Market
